/** The part of a stream of the process that the command writes to; tests bring their own. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

export interface CliIo {
  /** Results. */
  readonly stdout: OutputStream;
  /** Progress, hints and errors, so that results can be piped. */
  readonly stderr: OutputStream;
  /** Everything that was piped in, for `-`. */
  readStdin(maxBytes: number): Promise<string>;
  /** Aborted by Ctrl-C and by SIGTERM, with an Interruption as reason. */
  readonly signal: AbortSignal;
}

/** The person, or the system, wants the command to end. */
export class Interruption extends Error {
  readonly by: "SIGINT" | "SIGTERM";

  constructor(by: "SIGINT" | "SIGTERM") {
    super(by === "SIGINT" ? "interrupted" : "terminated");
    this.name = "Interruption";
    this.by = by;
  }
}
