import type { BusEvent, Event, ExecutionStarted, Failure, IncidentResolution } from "./events.ts";
import type { HumanCommand } from "./human-commands.ts";
import type { Json } from "./json.ts";

/** What the outside asks of one execution. `decide` answers each with events or refuses it with a DomainError. */
export type Command =
  | HumanCommand
  /** `reuse`: what a rerun keeps. `signal`: it has this one from its first moment. */
  | { type: "start"; start: Omit<ExecutionStarted, "type" | "at">; reuse?: readonly Reuse[]; signal?: Signal }
  /** Results that come late, twice or for an attempt that is over are refused with reason TASK_NOT_RUNNING. */
  | { type: "complete_task"; nodeId: string; attempt: number; output: Json; startedAt: number; worker: string }
  | { type: "fail_task"; nodeId: string; attempt: number; failure: Failure; startedAt?: number; worker?: string }
  /** Everything that is due at `now`: retries, waits, the execution's deadline. */
  | { type: "fire_timers" }
  /** `compensable`: the child has completed steps that can be undone. */
  | { type: "complete_child"; nodeId: string; childId: string; output: Json; compensable?: boolean }
  | { type: "fail_child"; nodeId: string; childId: string; failure: Failure }
  /** The machine of a node exists, and has its first events. Repeating it changes nothing. */
  | { type: "acknowledge_machine"; nodeId: string; machineId: string }
  | { type: "complete_machine"; nodeId: string; machineId: string; output: Json }
  /** It has failed or was deleted, or cannot be created: then it has no id. */
  | { type: "fail_machine"; nodeId: string; machineId?: string; failure: Failure }
  /** A signal with a request id that was seen before is accepted and changes nothing. A wait takes those of its own key only. */
  | ({ type: "signal" } & Signal)
  /**
   * An event for a node that waits for it. `run`: how often the node had begun afresh when its wait began. One that the node has taken
   * before, or that its filter does not let through, changes nothing.
   */
  | { type: "deliver_event"; nodeId: string; run: number; event: BusEvent }
  /** An update with a request id that was seen before changes nothing; what became of it stands in the state's `updates`. */
  | { type: "update"; name: string; payload: Json; requestId: string }
  | { type: "suspend"; reason: string }
  | { type: "resume"; reason: string }
  /** `openedAt`: only the incident that was opened then, in whole milliseconds. */
  | { type: "resolve_incident"; nodeId: string; resolution: IncidentResolution; reason: string; openedAt?: number }
  /** Stops what runs, compensates, runs `finally`, and ends as canceled. */
  | { type: "cancel"; reason: string }
  /** Ends as canceled at once: neither compensation nor `finally` runs, here and in children. */
  | { type: "terminate"; reason: string }
  /** These nodes and everything after them begin afresh. With a request id that was seen before it changes nothing. */
  | { type: "reset"; from: readonly string[]; reason: string; requestId: string };

export interface Signal {
  name: string;
  key?: string;
  payload: Json;
  requestId: string;
}

type ReuseEvent = Extract<Event, { type: "node_reused" | "vars_reused" | "items_reused" }>;

/** What `planRerun` gives: an event of a rerun but for its time. */
export type Reuse = ReuseEvent extends infer Each ? (Each extends ReuseEvent ? Omit<Each, "at"> : never) : never;
