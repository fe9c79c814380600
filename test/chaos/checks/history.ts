import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";

type Body = Extract<ExecutionEvent["event"], { case: string }>;
export type EventCase = Body["case"];
export type EventValue<C extends EventCase> = Extract<Body, { case: C }>["value"];

export interface EventOf<C extends EventCase> {
  seq: number;
  /** When it was decided, milliseconds since the Unix epoch. */
  at: number;
  value: EventValue<C>;
}

const ENDS: ReadonlySet<string> = new Set(["executionCompleted", "executionFailed", "executionCanceled"]);

export function isEnd({ event }: ExecutionEvent): boolean {
  return ENDS.has(event.case ?? "");
}

export function timeOf({ occurredAt }: ExecutionEvent): number {
  return Number(occurredAt?.seconds ?? 0n) * 1_000 + Math.floor((occurredAt?.nanos ?? 0) / 1e6);
}

/** The events of one kind, in order. */
export function eventsOf<C extends EventCase>(history: readonly ExecutionEvent[], name: C): EventOf<C>[] {
  return history.flatMap((event) =>
    event.event.case === name
      ? [{ seq: Number(event.seq), at: timeOf(event), value: event.event.value as EventValue<C> }]
      : [],
  );
}

/** The value of a payload that travels inside its event; undefined for one that is stored beside the history. */
export function inlineValue(payload: Payload | undefined): unknown {
  return payload?.form.case === "json" ? JSON.parse(payload.form.value) : undefined;
}

export function taskKey(executionId: string, nodeId: string, attempt: number): string {
  return `${executionId}/${nodeId}/${attempt}`;
}
