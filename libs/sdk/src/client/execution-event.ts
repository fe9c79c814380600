import type { Failure as FailureMessage } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { ExecutionEvent as EventMessage } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Json } from "../json.ts";
import { plainFailure, plainPayload, plainTime, type Failure, type PayloadReference } from "./plain.ts";

type Body = Extract<EventMessage["event"], { case: string }>;

type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : S;

type PlainField<T> = T extends Payload
  ? Json | PayloadReference
  : T extends FailureMessage
    ? Failure
    : T extends bigint
      ? number
      : T;

type PlainFields<T> = { [K in keyof T as K extends `$${string}` ? never : K]: PlainField<T[K]> };

interface EventHead {
  executionId: string;
  /** Position in the history, from 1 without gaps. */
  seq: number;
  occurredAt: Date;
}

type EventOf<B extends Body> = B extends Body
  ? EventHead & { type: SnakeCase<B["case"]> } & PlainFields<B["value"]>
  : never;

/**
 * Something happened in an execution. `type` says what, e.g. `task_completed`, and TypeScript then knows the other fields;
 * they are those of the message of that name in `execution_event.proto`.
 */
export type ExecutionEvent = EventOf<Body>;

/** An event of a newer contract that this client does not know has the type `unknown` and no fields: it is passed on, so that no seq is missing. */
export function plainEvent({ executionId, seq, occurredAt, event }: EventMessage): ExecutionEvent {
  const head = { executionId, seq: Number(seq), occurredAt: plainTime(occurredAt) ?? new Date(0) };
  if (event.case === undefined) return { ...head, type: "unknown" } as never;
  const fields = Object.entries(event.value).flatMap(([name, value]) =>
    name.startsWith("$") ? [] : [[name, plainField(value)] as const],
  );
  const type = event.case.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { ...head, type, ...Object.fromEntries(fields) } as ExecutionEvent;
}

type FieldValue = Body["value"][keyof Body["value"]] | Payload | FailureMessage | bigint | string[];

function plainField(value: FieldValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null || !("$typeName" in value)) return value;
  switch (value.$typeName) {
    case "heddle.common.v1.Payload":
      return plainPayload(value);
    case "heddle.common.v1.Failure":
      return plainFailure(value);
    default:
      return value;
  }
}
