import { isContainer } from "./container.ts";
import type { Event } from "./events.ts";
import { type BufferedSignal, type ExecutionState, setStatus } from "./execution-state.ts";
import { closeHumanTask } from "./human-state.ts";
import { isObject } from "./json-object.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { dequeue, dequeueAnywhere, dequeueBody, settle } from "./settle.ts";
import type { NodeState, NodeStatus } from "./state.ts";
import { pruneTimers, pushTimer } from "./timers.ts";
import { writeVars } from "./vars.ts";

export function begin(
  state: ExecutionState,
  linked: LinkedNode,
  node: NodeState,
  status: NodeStatus,
  at: number,
): void {
  dequeue(state, linked.index);
  setStatus(state, node, status);
  if (node.startedAt === undefined) node.startedAt = at;
}

export function complete(
  plan: Plan,
  state: ExecutionState,
  linked: LinkedNode,
  node: NodeState,
  event: Extract<Event, { type: "task_completed" | "node_completed" }>,
): void {
  node.output = event.output;
  const definition = linked.definition;
  state.payloadBytes += approximateBytes(event.output);
  // What a fallback gives is no signal's, and after a time-out there is none to take.
  if (definition.kind === "action" && definition.action === "wait" && node.fallback === undefined && !node.isHandled) {
    takeSignal(state, definition.signal, node.signalKey);
  }
  if (definition.kind === "action" && definition.action === "set" && isObject(event.output)) {
    writeVars(state, linked.index, event.output);
  }
  end(state, linked, node, "completed", event.at);
  settle(plan, state, linked);
}

/** Common to all ends of a node. */
export function end(state: ExecutionState, linked: LinkedNode, node: NodeState, status: NodeStatus, at: number): void {
  dequeue(state, linked.index);
  setStatus(state, node, status);
  node.endedAt = at;
  if (linked.definition.kind === "human") closeHumanTask(state, linked.index, status, at);
  if (isContainer(linked.definition)) dequeueBody(state, linked);
  if (node.map?.isQueued) {
    dequeueAnywhere(state, linked.index);
    node.map.isQueued = false;
  }
  if (node.map?.isHeld) node.map.isHeld = false;
  // It ends twice when a fallback has run in its place.
  const waiter = node.signal === undefined ? -1 : state.signalWaiters.indexOf(linked.index);
  if (waiter >= 0) state.signalWaiters.splice(waiter, 1);
  if (node.dueAt !== undefined) {
    node.dueAt = undefined;
    pruneTimers(state);
  }
}

/** The payload moves from the buffer to the output. */
function takeSignal(state: ExecutionState, name: string | undefined, key: string | undefined): void {
  const at = state.signals.findIndex((signal) => signal.name === name && signal.key === key);
  if (at < 0) return;
  const [taken] = state.signals.splice(at, 1);
  state.payloadBytes -= approximateBytes((taken as BufferedSignal).payload);
}

/** What is limited in time from the moment at which an attempt was scheduled. */
export function startTimes(
  state: ExecutionState,
  { index, definition }: LinkedNode,
  node: NodeState,
  at: number,
): void {
  if (definition.kind !== "task") return;
  if (definition.queueTimeoutMs !== undefined) node.scheduledAt = at;
  if (definition.totalTimeoutMs === undefined) return;
  node.dueAt = (node.startedAt ?? at) + definition.totalTimeoutMs;
  pushTimer(state, node.dueAt, index);
}
