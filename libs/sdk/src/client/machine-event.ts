import type { Failure as FailureMessage } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { StateMachineEvent as EventMessage } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
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
      : T extends readonly (infer Item)[]
        ? PlainField<Item>[]
        : T extends { $typeName: string }
          ? PlainMessage<T>
          : T;

type PlainFields<T> = { [K in keyof T as K extends `$${string}` ? never : K]: PlainField<T[K]> };

/** A message whose only field is a choice, as an effect, is the one that was chosen, with its name as `type`. */
type PlainMessage<T> = T extends { effect: infer Choice } ? PlainChoice<Choice> : PlainFields<T>;

type PlainChoice<T> = T extends { case: infer Name extends string; value: infer Value }
  ? { type: SnakeCase<Name> } & PlainFields<Value>
  : never;

interface EventHead {
  machineId: string;
  /** Position in the history, from 1 without gaps. */
  seq: number;
  occurredAt: Date;
}

type EventOf<B extends Body> = B extends Body
  ? EventHead & { type: SnakeCase<B["case"]> } & PlainFields<B["value"]>
  : never;

/**
 * Something happened in a machine. `type` says what, e.g. `transition_taken`, and TypeScript then knows the other fields;
 * they are those of the message of that name in `statemachine_event.proto`.
 */
export type MachineEvent = EventOf<Body>;

/** An event of a newer contract that this client does not know has the type `unknown` and no fields: it is passed on, so that no seq is missing. */
export function plainMachineEvent({ machineId, seq, occurredAt, event }: EventMessage): MachineEvent {
  const head = { machineId, seq: Number(seq), occurredAt: plainTime(occurredAt) ?? new Date(0) };
  if (event.case === undefined) return { ...head, type: "unknown" } as never;
  return { ...head, type: snakeCase(event.case), ...plainFields(event.value) } as MachineEvent;
}

function plainFields(message: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).flatMap(([name, value]) => (name.startsWith("$") ? [] : [[name, plainField(value)]])),
  );
}

function plainField(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plainField);
  if (typeof value !== "object" || value === null) return value;
  if (isMessage(value, "heddle.common.v1.Payload")) return plainPayload(value as Payload);
  if (isMessage(value, "heddle.common.v1.Failure")) return plainFailure(value as FailureMessage);
  if ("effect" in value) return plainChoice(value.effect as { case?: string; value?: object });
  return "case" in value ? plainChoice(value as { case?: string; value?: object }) : plainFields(value);
}

function plainChoice({ case: name, value }: { case?: string; value?: object }): unknown {
  return name === undefined ? { type: "unknown" } : { type: snakeCase(name), ...plainFields(value ?? {}) };
}

function isMessage(value: object, typeName: string): boolean {
  return "$typeName" in value && value.$typeName === typeName;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
