import { mergeAttributes } from "./attributes.ts";
import { awaitChild, endAwait, failEndingNode, recordCompensation, startCompensation } from "./ending-state.ts";
import type { Event } from "./events.ts";
import { type ExecutionState, setStatus } from "./execution-state.ts";
import { deactivateFallback } from "./fallbacks.ts";
import { changeHumanTask, createHumanTask } from "./human-state.ts";
import { openIncident } from "./incident.ts";
import { evolveResolution } from "./incident-state.ts";
import { MAX_TAKEN_EVENTS } from "./limits.ts";
import { machineInputToJson } from "./machine-input.ts";
import { endItem, startItem, startMap } from "./map-state.ts";
import { indexOfNode } from "./node-index.ts";
import { begin, complete, end, startTimes } from "./node-progress.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { replayDiverged } from "./refusals.ts";
import { keepItems, reuseNode } from "./reuse.ts";
import { activateBranches, activateFallback, dequeue, dequeueAnywhere, passBranches, settle } from "./settle.ts";
import type { NodeState, NodeStatus } from "./state.ts";
import { takenName } from "./taken-events.ts";
import { pruneTimers, pushTimer } from "./timers.ts";
import { endTurn, startTurn } from "./turns.ts";

export type NodeEvent = Extract<Event, { nodeId: string }>;

/** In which states of its node an event can happen. */
const STATUSES_BEFORE: Record<NodeEvent["type"], readonly NodeStatus[]> = {
  task_scheduled: ["pending", "backing_off"],
  task_completed: ["scheduled"],
  task_failed: ["scheduled"],
  wait_started: ["pending"],
  event_received: ["waiting"],
  child_started: ["pending"],
  machine_requested: ["pending"],
  machine_acknowledged: ["waiting"],
  node_completed: ["pending", "waiting"],
  node_failed: ["pending", "waiting", "scheduled"],
  error_handled: ["pending", "waiting", "scheduled"],
  turn_started: ["pending", "waiting"],
  turn_ended: ["waiting"],
  incident_resolved: ["waiting"],
  map_started: ["pending"],
  item_started: ["waiting"],
  item_ended: ["waiting"],
  node_skipped: ["pending"],
  node_reused: ["pending"],
  items_reused: ["pending"],
  node_canceled: ["scheduled", "backing_off", "waiting"],
  attributes_set: ["pending"],
  human_task_created: ["pending"],
  human_task_claimed: ["waiting"],
  human_task_released: ["waiting"],
  human_task_reassigned: ["waiting"],
  human_task_commented: ["waiting"],
  human_task_answered: ["waiting"],
  human_task_escalated: ["waiting"],
  human_task_expired: ["waiting"],
  logged: ["pending"],
  custom_event_emitted: ["pending"],
  // A child may be found to have completed when its node has begun afresh.
  compensation_recorded: [
    "pending",
    "scheduled",
    "backing_off",
    "waiting",
    "completed",
    "failed",
    "skipped",
    "canceled",
  ],
  compensation_started: ["pending", "completed", "failed", "canceled"],
  // Of a map that has been handled or begun afresh since, too.
  child_ended: ["pending", "canceled", "completed", "failed", "skipped"],
};

/** @throws DomainError REPLAY_DIVERGED as `evolve` does. */
export function evolveNode(plan: Plan, state: ExecutionState, event: NodeEvent): void {
  const linked = getNode(plan, event.nodeId);
  const node = state.nodes[linked.index] as NodeState;
  if (!STATUSES_BEFORE[event.type].includes(node.status)) {
    throw replayDiverged(`${event.type} cannot happen to node ${linked.id}, which is ${node.status}`);
  }
  switch (event.type) {
    case "task_scheduled":
      checkAttempt(linked, event, node.attempt + 1);
      if (event.input !== undefined) {
        node.input = event.input;
        state.payloadBytes += approximateBytes(event.input);
      }
      node.attempt = event.attempt;
      begin(state, linked, node, "scheduled", event.at);
      if (node.dueAt !== undefined) {
        node.dueAt = undefined;
        pruneTimers(state);
      }
      startTimes(state, linked, node, event.at);
      break;
    case "task_completed":
      checkAttempt(linked, event, node.attempt);
      node.worker = event.worker;
      complete(plan, state, linked, node, event);
      break;
    case "task_failed":
      checkAttempt(linked, event, node.attempt);
      if (node.failure?.details !== undefined) state.payloadBytes -= approximateBytes(node.failure.details);
      node.failure = event.failure;
      if (event.worker !== undefined) node.worker = event.worker;
      if (event.failure.details !== undefined) state.payloadBytes += approximateBytes(event.failure.details);
      if (event.retryAt !== undefined) {
        setStatus(state, node, "backing_off");
        node.dueAt = event.retryAt;
        pushTimer(state, event.retryAt, linked.index);
        // The end of the time of all attempts stands there as well, and is no longer waited for.
        pruneTimers(state);
      }
      break;
    case "wait_started":
      begin(state, linked, node, "waiting", event.at);
      if (linked.definition.kind === "parallel") activateBranches(plan, state, linked);
      if (event.key !== undefined) node.signalKey = event.key;
      if (event.event !== undefined) node.event = event.event;
      if (event.signal !== undefined) {
        node.signal = event.signal;
        state.signalWaiters.push(linked.index);
      }
      if (event.dueAt !== undefined) {
        node.dueAt = event.dueAt;
        pushTimer(state, event.dueAt, linked.index);
      }
      break;
    case "event_received": {
      const taken = (state.takenEvents ??= []);
      taken.push(takenName(linked.index, event.event.id));
      if (taken.length > MAX_TAKEN_EVENTS) taken.shift();
      break;
    }
    case "child_started":
      node.childId = event.childId;
      node.input = event.input;
      if (event.compensates !== undefined) node.compensates = event.compensates;
      state.payloadBytes += approximateBytes(event.input);
      begin(state, linked, node, "waiting", event.at);
      break;
    case "machine_requested":
      node.input = machineInputToJson(event.input);
      state.payloadBytes += approximateBytes(node.input);
      begin(state, linked, node, "waiting", event.at);
      break;
    case "machine_acknowledged":
      node.machineId = event.machineId;
      break;
    case "node_completed":
      if (event.chosen) node.chosen = event.chosen.map((id) => indexOfNode(plan, id));
      // Of a parallel it says that the branches were released, which is not so when its `when` has failed.
      if (linked.definition.kind !== "parallel") node.startedAt ??= event.at;
      complete(plan, state, linked, node, event);
      break;
    case "node_failed":
      node.failure = event.failure;
      end(state, linked, node, "failed", event.at);
      // Any other failure ends the execution: nothing may become ready by it.
      if (linked.tolerated) settle(plan, state, linked);
      if (linked.role !== undefined) failEndingNode(state, linked, event);
      break;
    case "error_handled":
      handleError(plan, state, linked, node, event);
      break;
    case "incident_resolved":
      evolveResolution(plan, state, linked, event);
      break;
    case "map_started":
      startMap(plan, state, linked, event);
      break;
    case "item_started":
      startItem(plan, state, linked, event);
      break;
    case "item_ended": {
      const { childId } = node.map?.active.find(({ index }) => index === event.index) ?? {};
      endItem(plan, state, linked, event);
      if (event.end.outcome === "canceled") awaitChild(plan, state, linked, childId);
      break;
    }
    case "compensation_recorded":
      recordCompensation(state, event);
      break;
    case "compensation_started":
      startCompensation(plan, state, linked);
      break;
    case "child_ended":
      endAwait(state, event.childId);
      break;
    case "turn_started":
      if (node.status === "pending") begin(state, linked, node, "waiting", event.at);
      else dequeue(state, linked.index);
      startTurn(plan, state, linked, event);
      if (event.dueAt !== undefined) {
        node.dueAt = event.dueAt;
        pushTimer(state, event.dueAt, linked.index);
      }
      break;
    case "turn_ended":
      dequeue(state, linked.index);
      endTurn(state, linked, node, event);
      break;
    case "human_task_created":
      begin(state, linked, node, "waiting", event.at);
      createHumanTask(state, linked, event);
      break;
    case "human_task_claimed":
    case "human_task_released":
    case "human_task_reassigned":
    case "human_task_commented":
    case "human_task_answered":
    case "human_task_escalated":
    case "human_task_expired":
      changeHumanTask(state, linked, event);
      break;
    case "node_skipped":
      node.skipReason = event.reason;
      if (event.reason === "not_needed") dequeueAnywhere(state, linked.index);
      end(state, linked, node, "skipped", event.at);
      settle(plan, state, linked);
      break;
    case "node_reused":
      reuseNode(plan, state, linked, event);
      break;
    case "items_reused":
      keepItems(state, node, event);
      break;
    case "attributes_set":
      state.attributes = mergeAttributes(state.attributes, event.attributes);
      break;
    case "logged":
    case "custom_event_emitted":
      // For readers of the history: the node's end follows.
      break;
    case "node_canceled":
      if (node.fallback === undefined) awaitChild(plan, state, linked, node.childId);
      dequeueAnywhere(state, linked.index);
      end(state, linked, node, "canceled", event.at);
      if (event.reason !== undefined) {
        deactivateFallback(plan, state, linked);
        settle(plan, state, linked);
      }
  }
}

type NodeEventOf<Type extends NodeEvent["type"]> = Extract<NodeEvent, { type: Type }>;

function handleError(
  plan: Plan,
  state: ExecutionState,
  linked: LinkedNode,
  node: NodeState,
  { at, failure, outcome }: NodeEventOf<"error_handled">,
): void {
  node.failure = failure;
  node.isHandled = true;
  switch (outcome.action) {
    case "skip":
      node.skipReason = "error";
      end(state, linked, node, "skipped", at);
      return settle(plan, state, linked);
    case "continue":
      node.output = outcome.output;
      state.payloadBytes += approximateBytes(outcome.output);
      end(state, linked, node, "completed", at);
      return settle(plan, state, linked);
    case "incident":
      end(state, linked, node, "waiting", at);
      node.endedAt = undefined;
      if (linked.definition.kind === "parallel") passBranches(plan, state, linked);
      return openIncident(state, linked.index, at);
    case "fallback": {
      const index = indexOfNode(plan, outcome.fallbackId);
      end(state, linked, node, "waiting", at);
      node.endedAt = undefined;
      node.fallback = index;
      if (linked.definition.kind === "parallel") passBranches(plan, state, linked);
      return activateFallback(plan, state, linked, index);
    }
  }
}

function getNode(plan: Plan, id: string): LinkedNode {
  return plan.nodes[indexOfNode(plan, id)] as LinkedNode;
}

function checkAttempt(linked: LinkedNode, event: Extract<NodeEvent, { attempt: number }>, expected: number): void {
  if (event.attempt === expected) return;
  throw replayDiverged(
    `${event.type} of node ${linked.id} is of attempt ${event.attempt}, and attempt ${expected} must come`,
  );
}
