import type { Scope } from "@heddle/expression";
import type { Command } from "./commands.ts";
import { evaluateField } from "./evaluate.ts";
import { type UpdateState, isFinished } from "./execution-state.ts";
import type { Failure } from "./events.ts";
import { NodeFault, coreFailure, invalidValue } from "./failure.ts";
import type { Field } from "./field.ts";
import { describeType, isObject, toText } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_EXECUTION_PAYLOAD_BYTES, MAX_OPEN_UPDATES, MAX_REPLY_BYTES } from "./limits.ts";
import { deliverSignal, toKey } from "./nodes/wait.ts";
import { approximateBytes, findSizeFault } from "./payload-size.ts";
import type { LinkedNode, LinkedUpdate, Turn } from "./plan.ts";
import {
  executionFinished,
  limitReached,
  payloadTooLarge,
  requestIdReused,
  updateRejected,
  updateUnknown,
} from "./refusals.ts";
import { createScope, describeFailure } from "./scope.ts";
import { isSettled } from "./settle.ts";
import { checkSignalRoom } from "./signals.ts";
import type { NodeState } from "./state.ts";
import { emit } from "./turn.ts";
import { isOpen } from "./update-state.ts";

type UpdateCommand = Extract<Command, { type: "update" }>;

/**
 * Accepts an update or refuses it. One that is accepted is applied at once, also while suspended: its variables are set, its
 * signal is delivered, and its reply is given unless it has to wait for a node.
 */
export function receiveUpdate(turn: Turn, command: UpdateCommand): void {
  const { plan, state } = turn;
  const { name, payload, requestId } = command;
  const { executionId } = turn.context;
  const known = state.updates?.find((one) => one.requestId === requestId);
  if (known !== undefined) {
    if (known.name !== name) throw requestIdReused(requestId, known.name, name);
    return;
  }
  if (isFinished(state)) throw executionFinished(executionId, state.status, "update");
  const update = plan.updates.get(name);
  if (update === undefined) throw updateUnknown(plan.document.workflowId, name, [...plan.updates.keys()]);
  const fault = findSizeFault(payload, turn.maxPayloadBytes);
  if (fault !== undefined) throw payloadTooLarge("payload", fault);
  checkRoom(turn, payload);
  const effect = effectOf(turn, command, update);
  const { signal, after } = update.definition;
  if (signal !== undefined) checkSignalRoom(turn, signal, effect.key);
  emit(turn, {
    type: "update_accepted",
    at: turn.at,
    name,
    requestId,
    payload,
    ...effect,
    ...(after !== undefined && { after: (plan.nodes[after] as LinkedNode).id }),
  });
  if (signal !== undefined) deliverSignal(turn, signal, effect.key, payload);
  answerUpdates(turn);
}

function checkRoom({ state, context }: Turn, payload: Json): void {
  const { executionId } = context;
  if ((state.openUpdates ?? 0) >= MAX_OPEN_UPDATES) {
    throw limitReached(executionId, `has ${MAX_OPEN_UPDATES} updates that are not answered yet; it takes no more`);
  }
  if (state.payloadBytes + 2 * approximateBytes(payload) > MAX_EXECUTION_PAYLOAD_BYTES) {
    throw limitReached(executionId, `holds about ${state.payloadBytes} bytes of payloads; send a smaller update`);
  }
}

interface Effect {
  set?: JsonObject;
  signal?: string;
  key?: string;
}

/** What it does, all of it evaluated before any of it happens. */
function effectOf(turn: Turn, { name, payload, requestId }: UpdateCommand, update: LinkedUpdate): Effect {
  const scope = scopeOfUpdate(turn, { name, payload, requestId });
  try {
    if (update.when !== undefined) {
      const holds = evaluateField(update.when, scope);
      if (typeof holds !== "boolean")
        throw invalidValue(`when: gives ${describeType(holds)}, and must give true or false`);
      if (!holds) throw updateRejected(name, whyNot(update, scope));
    }
    const set = update.set && evaluateField(update.set, scope);
    if (set !== undefined) {
      if (!isObject(set)) throw invalidValue(`set: gives ${describeType(set)}, and must give an object`);
      const fault = findSizeFault(set, turn.maxPayloadBytes);
      if (fault !== undefined) throw invalidValue(`set: the fields ${fault}`);
    }
    const key = update.key && toKey(evaluateField(update.key, scope), "key");
    const { signal } = update.definition;
    return {
      ...(set !== undefined && { set }),
      ...(signal !== undefined && { signal }),
      ...(key !== undefined && { key }),
    };
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    throw updateRejected(name, error.message);
  }
}

function whyNot({ otherwise, definition }: LinkedUpdate, scope: Scope): string {
  if (otherwise !== undefined) return toText(evaluateField(otherwise, scope));
  return `its condition \`${definition.when}\` does not hold as the execution stands now`;
}

/** Gives the replies that nothing is waited for any more. To be called whenever a node may have ended. */
export function answerUpdates(turn: Turn): void {
  const { state } = turn;
  if ((state.openUpdates ?? 0) === 0 || isFinished(state)) return;
  const ready = (state.updates ?? []).filter((one) => isOpen(one) && isDue(turn, one));
  for (const update of ready) emit(turn, { ...answerOf(turn, update), at: turn.at });
}

function isDue({ state }: Turn, { after }: UpdateState): boolean {
  return after === undefined || isSettled(state, after);
}

function answerOf(turn: Turn, update: UpdateState) {
  const { name, requestId, after } = update;
  const head = { type: "update_answered" as const, name, requestId };
  const node = after === undefined ? undefined : (turn.state.nodes[after] as NodeState);
  if (node?.status === "failed" && node.failure !== undefined) return { ...head, failure: node.failure };
  if (node?.status === "canceled") {
    const { id } = turn.plan.nodes[after as number] as LinkedNode;
    return { ...head, failure: coreFailure("canceled", `node ${id}, whose end the reply waits for, was canceled`) };
  }
  try {
    const reply = evaluateReply(turn, update, turn.plan.updates.get(name)?.reply, node);
    const fault = findSizeFault(reply, MAX_REPLY_BYTES);
    if (fault !== undefined) throw new NodeFault(coreFailure("payload_too_large", `the reply ${fault}`));
    return { ...head, reply };
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    return { ...head, failure: { ...error.failure, message: `update ${name}: ${error.failure.message}` } };
  }
}

function evaluateReply(turn: Turn, update: UpdateState, field: Field | undefined, node: NodeState | undefined): Json {
  if (field === undefined) return node?.output ?? null;
  const { name, payload = null, requestId } = update;
  return evaluateField(field, scopeOfUpdate(turn, { name, payload, requestId }));
}

function scopeOfUpdate(
  { plan, state, context }: Turn,
  { name, payload, requestId }: { name: string; payload: Json; requestId: string },
): Scope {
  return createScope(plan, state, context.executionId, {
    names: { update: { name, payload, request_id: requestId } },
  });
}

/** What became of an update, for whoever has sent it. Undefined: nobody remembers it. */
export type UpdateOutcome =
  | { status: "open" }
  | { status: "answered"; reply: Json }
  | { status: "failed"; failure: Failure };

export function findUpdateOutcome(
  state: Pick<Turn["state"], "updates" | "status" | "failure" | "reason">,
  requestId: string,
): UpdateOutcome | undefined {
  const update = state.updates?.find((one) => one.requestId === requestId);
  if (update === undefined) return undefined;
  if (update.failure !== undefined) return { status: "failed", failure: update.failure };
  if (update.reply !== undefined) return { status: "answered", reply: update.reply };
  if (state.status === "running" || state.status === "suspended") return { status: "open" };
  return { status: "failed", failure: endedBefore(state) };
}

function endedBefore({ status, failure }: Pick<Turn["state"], "status" | "failure">): Failure {
  const why = failure === undefined ? "" : `: ${failure.message}`;
  const message = `the execution has ended as ${status} before the update was answered${why}`;
  const ended = coreFailure("execution_ended", message);
  return failure === undefined ? ended : { ...ended, details: describeFailure(failure) };
}
