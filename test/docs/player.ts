/** Runs one definition: each command gives lines that say what follows from it. */
export interface Player {
  /** @throws DomainError when the command is refused */
  play(command: TraceCommand): string[];
  /** Throws when the history does not replay to the same state. */
  check(): void;
}

export type TraceCommand =
  | { verb: "start"; input: unknown }
  | { verb: "send"; name: string; key?: string; data: unknown }
  | { verb: "gives"; name: string; output: unknown }
  | { verb: "fails"; name: string; type: string; message: string }
  | { verb: "pass"; ms: number }
  | { verb: "cancel" };
