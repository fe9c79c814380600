import type { Scope } from "@heddle/expression";
import { parseDuration } from "../duration.ts";
import { NodeFault, coreFailure } from "../failure.ts";
import type { Field, FieldCompiler } from "../field.ts";
import { describeType } from "../json-object.ts";
import type { Json } from "../json.ts";
import { MAX_WAIT_MS } from "../limits.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { ActionNode } from "../plan-document.ts";
import { parseTimestamp } from "../timestamp.ts";
import { evaluateField, scopeOf } from "../evaluate.ts";
import { completeNode, emit } from "../turn.ts";

type WaitAction = Extract<ActionNode, { action: "wait" }>;

/** Waits for a time, for a signal, or for a signal until a time. Its output is the signal's payload, or null. */
export function linkWait(definition: WaitAction, compiler: FieldCompiler): NodeProgram {
  const { signal } = definition;
  const duration =
    definition.duration === undefined ? undefined : compiler.template("params.duration", definition.duration);
  const until = definition.until === undefined ? undefined : compiler.template("params.until", definition.until);
  return {
    begin(turn, node) {
      const buffered = signal === undefined ? undefined : turn.state.signals.find(({ name }) => name === signal);
      if (buffered) return completeNode(turn, node, buffered.payload);
      const scope = scopeOf(turn, node);
      const dueAt = findDueAt(turn, scope, duration, until) ?? (signal === undefined ? turn.at : undefined);
      emit(turn, {
        type: "wait_started",
        at: turn.at,
        nodeId: node.id,
        ...(dueAt !== undefined && { dueAt }),
        ...(signal !== undefined && { signal }),
      });
    },
    fire(turn, node) {
      if (signal === undefined) return completeNode(turn, node, null);
      throw new NodeFault(coreFailure("timeout", `no signal ${signal} has come in time`));
    },
  };
}

/** A signal has been buffered: the node that waits longest for its name takes it. */
export function deliverSignal(turn: Turn, name: string, payload: Json): void {
  const { plan, state } = turn;
  const waiter = state.signalWaiters.find((index) => state.nodes[index]?.signal === name);
  if (waiter !== undefined) completeNode(turn, plan.nodes[waiter] as LinkedNode, payload);
}

/** The earlier one, when both are given. */
function findDueAt(
  turn: Turn,
  scope: Scope,
  duration: Field | undefined,
  until: Field | undefined,
): number | undefined {
  const times: number[] = [];
  if (duration) times.push(turn.at + toDuration(evaluateField(duration, scope)));
  // A time that is past is due at once.
  if (until) times.push(Math.max(turn.at, toTime(evaluateField(until, scope))));
  if (times.length === 0) return undefined;
  const dueAt = Math.min(...times);
  if (dueAt - turn.at <= MAX_WAIT_MS) return dueAt;
  throw invalidWait(`the wait would end more than ten years from now; the limit is ${MAX_WAIT_MS} ms`);
}

function toDuration(value: Json): number {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  const found = typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : describeType(value);
  throw invalidWait(
    `params.duration: ${found} is no duration; write one like 30s, 5m or 1h30m, or a number of milliseconds`,
  );
}

function toTime(value: Json): number {
  const time = typeof value === "string" ? parseTimestamp(value) : undefined;
  if (time !== undefined) return time;
  const found = typeof value === "string" ? JSON.stringify(value) : describeType(value);
  throw invalidWait(`params.until: ${found} is no time; write it as RFC 3339, like 2030-01-31T12:00:00Z`);
}

function invalidWait(message: string): NodeFault {
  return new NodeFault(coreFailure("invalid_value", message));
}
