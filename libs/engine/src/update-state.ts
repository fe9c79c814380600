import { setField } from "./json-object.ts";
import { writeVar } from "./vars.ts";
import type { Event } from "./events.ts";
import type { ExecutionState, UpdateState } from "./execution-state.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_REMEMBERED_UPDATES } from "./limits.ts";
import { indexOfNode } from "./node-index.ts";
import { approximateBytes } from "./payload-size.ts";
import type { Plan } from "./plan.ts";
import { replayDiverged } from "./refusals.ts";

type Accepted = Extract<Event, { type: "update_accepted" }>;
type Answered = Extract<Event, { type: "update_answered" }>;

export function acceptUpdate(plan: Plan, state: ExecutionState, event: Accepted): void {
  const { name, requestId, payload, set, signal, key, after } = event;
  if (set !== undefined) assignVars(state, set);
  if (signal !== undefined) {
    state.signals.push({ name: signal, ...(key !== undefined && { key }), payload });
    state.payloadBytes += approximateBytes(payload);
  }
  const node = after === undefined ? undefined : indexOfNode(plan, after);
  state.payloadBytes += approximateBytes(payload);
  (state.updates ??= []).push({ requestId, name, payload, ...(node !== undefined && { after: node }) });
  state.openUpdates = (state.openUpdates ?? 0) + 1;
}

export function answerUpdate(state: ExecutionState, { requestId, reply, failure }: Answered): void {
  const { updates = [] } = state;
  const update = updates.find((one) => one.requestId === requestId && isOpen(one));
  if (update === undefined) throw replayDiverged(`a history answers update ${requestId}, which is not open`);
  state.payloadBytes -= approximateBytes(update.payload as Json);
  delete update.payload;
  if (failure === undefined) update.reply = reply as Json;
  else update.failure = failure;
  state.payloadBytes += heldBytes(update);
  state.openUpdates = (state.openUpdates ?? 1) - 1;
  if (updates.length - state.openUpdates <= MAX_REMEMBERED_UPDATES) return;
  const [forgotten] = updates.splice(
    updates.findIndex((one) => !isOpen(one)),
    1,
  );
  state.payloadBytes -= heldBytes(forgotten as UpdateState);
}

/** It has been accepted, and has no answer yet. */
export function isOpen({ reply, failure }: UpdateState): boolean {
  return reply === undefined && failure === undefined;
}

function heldBytes({ reply, failure }: UpdateState): number {
  const held = reply ?? failure?.details;
  return held === undefined ? 0 : approximateBytes(held);
}

/** What an update writes takes the place of what an update wrote before: an execution that is updated for years does not grow. */
function assignVars(state: ExecutionState, set: JsonObject): void {
  const sizes = (state.updatedVars ??= {});
  for (const name of Object.keys(set)) {
    const value = set[name] as Json;
    const bytes = approximateBytes(value);
    state.payloadBytes += bytes - (Object.hasOwn(sizes, name) ? (sizes[name] as number) : 0);
    setField(sizes, name, bytes);
    writeVar(state, name, value);
  }
}
