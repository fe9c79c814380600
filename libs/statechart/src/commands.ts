import type { Failure, Json } from "@heddle/engine";
import type { Chart } from "./chart.ts";
import type { MachineCreated } from "./events.ts";

/** What the outside asks of one machine. `decide` answers each with events or refuses it with a DomainError. */
export type MachineCommand =
  | {
      type: "create";
      /** `context`: values that replace those of the definition's context. */
      create: Omit<MachineCreated, "type" | "at">;
    }
  /** An event with a request id that was seen before is accepted and changes nothing. */
  | { type: "send"; name: string; data: Json; requestId: string }
  /** Timers that are due at `now`, and what an earlier turn has left in the queues. */
  | { type: "fire_timers" }
  | { type: "complete_invocation"; invokeId: string; token: number; output: Json }
  | { type: "fail_invocation"; invokeId: string; token: number; failure: Failure }
  /** It has begun outside, as an execution or a machine with this id. */
  | { type: "acknowledge_invocation"; token: number; startedId: string }
  /** With a request id that was seen before it is accepted and changes nothing. */
  | { type: "report_progress"; invokeId: string; token: number; data: Json; requestId: string }
  /** What could not be delivered gives `error.communication`. */
  | { type: "acknowledge_message"; messageId: number; failure?: Failure }
  | { type: "acknowledge_cancellation"; token: number }
  | { type: "suspend"; reason: string }
  | { type: "resume"; reason: string }
  | { type: "delete"; reason: string }
  /** To another version of the definition: `mapping` gives the new names of states that are called otherwise there. */
  | { type: "migrate"; version: number; chart: Chart; mapping: Readonly<Record<string, string>> };
