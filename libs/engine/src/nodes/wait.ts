import type { Scope } from "@heddle/expression";
import { parseDuration } from "../duration.ts";
import type { ExecutionState } from "../execution-state.ts";
import { NodeFault, coreFailure, invalidValue } from "../failure.ts";
import type { Field, FieldCompiler } from "../field.ts";
import { describeType, toText } from "../json-object.ts";
import type { Json } from "../json.ts";
import { MAX_SIGNAL_KEY_LENGTH, MAX_WAIT_MS } from "../limits.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { ActionNode } from "../plan-node.ts";
import { parseTimestamp } from "../timestamp.ts";
import { evaluateField, scopeOf } from "../evaluate.ts";
import { completeNode, completeOrFail } from "../ends.ts";
import { emit } from "../turn.ts";

type WaitAction = Extract<ActionNode, { action: "wait" }>;

/**
 * Waits for a time, or for a signal or an event, or until a time for these. Its output is the signal's payload, the event, or null; with
 * `onTimeout: "continue"` it says which of the two has come.
 */
export function linkWait(definition: WaitAction, compiler: FieldCompiler): NodeProgram {
  const { signal, event } = definition;
  const duration =
    definition.duration === undefined ? undefined : compiler.template("params.duration", definition.duration);
  const until = definition.until === undefined ? undefined : compiler.template("params.until", definition.until);
  const keyField = definition.key === undefined ? undefined : compiler.template("params.key", definition.key);
  return {
    begin(turn, node) {
      const scope = scopeOf(turn, node);
      const key = keyField && toKey(evaluateField(keyField, scope), "params.key");
      const buffered =
        signal === undefined ? undefined : turn.state.signals.find((one) => one.name === signal && one.key === key);
      // What has been there already is taken at once; only a key must be told, because `evolve` takes by it.
      if (buffered && key === undefined) return completeNode(turn, node, signalOutput(definition, buffered.payload));
      const dueAt =
        buffered === undefined
          ? (findDueAt(turn, scope, duration, until) ??
            (signal === undefined && event === undefined ? turn.at : undefined))
          : undefined;
      emit(turn, {
        type: "wait_started",
        at: turn.at,
        nodeId: node.id,
        ...(dueAt !== undefined && { dueAt }),
        ...(signal !== undefined && { signal }),
        ...(event !== undefined && { event }),
        ...(key !== undefined && { key }),
      });
      if (buffered) completeNode(turn, node, signalOutput(definition, buffered.payload));
    },
    fire(turn, node) {
      const awaited = signal ?? event;
      if (awaited === undefined) return completeNode(turn, node, null);
      if (definition.onTimeout === "continue") return completeNode(turn, node, { timed_out: true, payload: null });
      const { signalKey } = turn.state.nodes[node.index] ?? {};
      const named = signalKey === undefined ? awaited : `${awaited} with key ${JSON.stringify(signalKey)}`;
      const what = signal === undefined ? "event" : "signal";
      throw new NodeFault(coreFailure("wait_timeout", `no ${what} ${named} has come in time`));
    },
  };
}

/** A signal has been buffered: the node that waits longest for its name and key takes it. */
export function deliverSignal(turn: Turn, name: string, key: string | undefined, payload: Json): void {
  const waiter = findSignalWaiter(turn.state, name, key);
  if (waiter !== undefined) completeWait(turn, turn.plan.nodes[waiter] as LinkedNode, payload);
}

/** Index of the node that waits longest for this. */
export function findSignalWaiter(state: ExecutionState, name: string, key: string | undefined): number | undefined {
  return state.signalWaiters.find(
    (index) => state.nodes[index]?.signal === name && state.nodes[index]?.signalKey === key,
  );
}

/** What the node has waited for has come. */
export function completeWait(turn: Turn, node: LinkedNode, payload: Json): void {
  completeOrFail(turn, node, signalOutput(node.definition as WaitAction, payload));
}

function signalOutput({ onTimeout }: WaitAction, payload: Json): Json {
  return onTimeout === "continue" ? { timed_out: false, payload } : payload;
}

/** Keys are compared as texts: a number or boolean is its text. */
export function toKey(value: Json, path: string): string {
  if (value === null || typeof value === "object" || value === "") {
    const found = value === "" ? "an empty string" : describeType(value);
    throw invalidValue(`${path}: ${found} is no key; it must be a text, a number or a boolean`);
  }
  const key = toText(value);
  if (key.length <= MAX_SIGNAL_KEY_LENGTH) return key;
  throw invalidValue(`${path}: has ${key.length} characters, and the limit is ${MAX_SIGNAL_KEY_LENGTH}`);
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
  throw invalidValue(`the wait would end more than ten years from now; the limit is ${MAX_WAIT_MS} ms`);
}

function toDuration(value: Json): number {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  const found = typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : describeType(value);
  throw invalidValue(
    `params.duration: ${found} is no duration; write one like 30s, 5m or 1h30m, or a number of milliseconds`,
  );
}

function toTime(value: Json): number {
  const time = typeof value === "string" ? parseTimestamp(value) : undefined;
  if (time !== undefined) return time;
  const found = typeof value === "string" ? JSON.stringify(value) : describeType(value);
  throw invalidValue(`params.until: ${found} is no time; write it as RFC 3339, like 2030-01-31T12:00:00Z`);
}
