import type { Json, JsonObject } from "../json.ts";
import type { Logger } from "@heddle/telemetry";

/** What a handler may know about its task, and do while it runs. Parts may be taken out: `({ signal, heartbeat })`. */
export interface TaskContext {
  /** `<execution id>/<node id>/<attempt>`. */
  readonly taskId: string;
  /** The same when the task is delivered again, another one for a retry: give it to services that take idempotency keys. */
  readonly idempotencyKey: string;
  readonly executionId: string;
  readonly nodeId: string;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  readonly workflowId: string;
  readonly namespace: string;
  /** Name of the tool or agent: tells handlers for `*` what they are. */
  readonly name: string;
  /** What the definition says of the agent, for agents that it describes itself. */
  readonly agent: JsonObject | undefined;
  /** W3C trace context of the execution; empty when there is none. */
  readonly traceparent: string;
  /** Aborts when the task is canceled, has timed out, belongs to another worker by now, or this worker stops. The reason is an Error that says which. */
  readonly signal: AbortSignal;
  /** Says that the handler lives (it counts for the task's heartbeat timeout), and what it has done so far. Cheap: call it as often as you like. */
  readonly heartbeat: (progress?: Json) => void;
  /** A logger that writes the task's ids into every line. */
  readonly logger: Logger;
}

/** Runs one task: takes the input, returns the output (JSON) or throws. */
// The input's shape is agreed with the definition, not known here: any lets an author write down the one that he expects.
// oxlint-disable-next-line typescript/no-explicit-any
export type TaskHandler = (input: any, context: TaskContext) => unknown;

export interface HandlerDefinition {
  handler: TaskHandler;
  /** JSON Schema (2020-12) of the input. Input that does not fit fails the task with type `input_invalid` before the handler sees it. */
  inputSchema?: JsonObject;
  /** What it does, for people and models; at most 4096 characters. */
  description?: string;
  /** Most tasks of this kind at once; default: as many as the worker has slots. */
  maxConcurrent?: number;
}

/** Handlers by name. The name `*` takes every task of its type that has no handler of its own. */
export type Handlers = Readonly<Record<string, TaskHandler | HandlerDefinition>>;
