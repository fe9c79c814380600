import type { Failure, Json, JsonObject } from "@heddle/engine";
import type { ChartInvocation, TimerPolicy } from "./chart-document.ts";
import type { MachineCreated, MessageTarget } from "./events.ts";

export type MachineStatus = "active" | "suspended" | "finished" | "failed" | "deleted";

/** All that a machine is, as its events made it. Plain JSON; belongs to `decide` and `evolve`. */
export interface MachineState extends Omit<MachineCreated, "type" | "at" | "context"> {
  status: MachineStatus;
  /** Indices of the active states without the root, ascending: document order. */
  configuration: number[];
  context: JsonObject;
  /** By index of the history state: what its parent was in when it was left, ascending. */
  history: Record<string, number[]>;
  /** Late binding: states that have been entered before. */
  initialized: number[];
  timers: Timer[];
  /** Sent by the machine to itself, or come while it was suspended: first in, first out. */
  queue: QueuedEvent[];
  /** Came when nothing waited for them; tried again whenever the configuration has changed. */
  deferred: QueuedEvent[];
  invocations: Invocation[];
  /** Invocations that were left and whose end nobody has acknowledged. */
  cancellations: Invocation[];
  messages: Message[];
  /** Of the next timer without a name, message and invocation. */
  nextTimer: number;
  nextMessage: number;
  nextToken: number;
  /** Of the events that were accepted, the latest ones. */
  requestIds: string[];
  /** Those of them that led nowhere at once. */
  unhandledRequestIds: string[];
  createdAt: number;
  updatedAt: number;
  suspendedAt?: number;
  endedAt?: number;
  reason?: string;
  output?: Json;
  failure?: Failure;
}

export interface Timer {
  id: string;
  dueAt: number;
  durationMs: number;
  policy: TimerPolicy;
  event: string;
  data: Json;
  state?: string;
  sendId?: string;
}

export interface QueuedEvent {
  name: string;
  data: Json;
  sendId?: string;
}

export interface Invocation {
  id: string;
  /** Whose it is. */
  state: string;
  kind: ChartInvocation["kind"];
  /** Another one for each time that its state was entered. */
  token: number;
  input: Json;
  /** The execution or machine that it is outside, once that is known. */
  startedId?: string;
}

export interface Message {
  id: number;
  target: MessageTarget;
  name: string;
  data: Json;
}

/** Does anything about the machine go on? */
export function isOver(state: MachineState): boolean {
  return state.status === "finished" || state.status === "failed" || state.status === "deleted";
}
