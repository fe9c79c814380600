import { evaluateDependence } from "./depends.ts";
import type { ExecutionState } from "./execution-state.ts";
import { standInOf } from "./incident.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState, NodeStatus } from "./state.ts";

// Who becomes ready when: counters only, so that each edge of the graph costs one step in the life of an execution.
// Only nodes whose `depends` mixes outcomes look at all of these again.

/** A node is settled: tells those that waited for it. `node.status` says how it ended. */
export function settle(plan: Plan, state: ExecutionState, linked: LinkedNode): void {
  if (linked.role === "handler" && state.handling === linked.index) state.openNodes = 0;
  if (linked.role !== undefined) return;
  const node = state.nodes[linked.index] as NodeState;
  for (const dependent of linked.dependents) release(plan, state, dependent);
  if (linked.definition.kind === "switch") {
    for (const target of node.chosen ?? []) activate(state, target, linked.index);
  }
  if (linked.definition.kind !== "parallel" || !(hasBegun(node) || node.isPassed)) {
    for (const target of linked.activates) release(plan, state, target);
  }
  if (standInOf(node) === undefined) {
    for (const fallback of linked.fallbacks) release(plan, state, fallback);
  }
  for (const parallel of linked.branchOf) settleBranch(plan, state, parallel, linked.index);
  for (const owner of linked.fallbackOf) {
    const { status, fallback } = state.nodes[owner] as NodeState;
    if (status === "waiting" && fallback === linked.index) state.ready.push(owner);
  }
  settleInBody(state, linked.definition.container);
}

/** A parallel begins: its branches may run. */
export function activateBranches(plan: Plan, state: ExecutionState, parallel: LinkedNode): void {
  state.unsettled[parallel.index] = parallel.activates.length;
  releaseBranches(plan, state, parallel);
  if (parallel.activates.length === 0) enqueueJoin(state, parallel.index);
  // It begins again, and these branches have kept their ends.
  for (const branch of parallel.activates) {
    if (isSettled(state, branch)) settleBranch(plan, state, parallel.index, branch);
  }
}

/** Branches of a parallel that has begun, now or in the execution that this one runs again. */
export function releaseBranches(plan: Plan, state: ExecutionState, parallel: LinkedNode): void {
  for (const branch of parallel.activates) {
    activate(state, branch, parallel.index);
    release(plan, state, branch);
  }
}

/** A parallel has failed before it began: it activates no branch any more. What is to happen in its place may wait for them. */
export function passBranches(plan: Plan, state: ExecutionState, parallel: LinkedNode): void {
  const node = state.nodes[parallel.index] as NodeState;
  if (hasBegun(node)) return;
  node.isPassed = true;
  // How they end decides nothing of it.
  state.unsettled[parallel.index] = -1;
  for (const branch of parallel.activates) release(plan, state, branch);
}

/** A node has failed, and another one runs in its place. */
export function activateFallback(plan: Plan, state: ExecutionState, linked: LinkedNode, fallback: number): void {
  activate(state, fallback, linked.index);
  for (const target of linked.fallbacks) release(plan, state, target);
}

/** A turn of a body begins: all its nodes are as they were at the start. */
export function beginBody(state: ExecutionState, linked: LinkedNode): void {
  const { size = 0, roots = [] } = linked.body ?? {};
  for (const root of roots) state.ready.push(root);
  if (size === 0) state.ready.push(linked.index);
}

/** Takes the node from the queue, if it is what `decide` looks at. */
export function dequeue(state: ExecutionState, index: number): void {
  if (state.ready[state.readyHead] !== index) return;
  state.readyHead++;
  if (state.readyHead === state.ready.length) {
    state.ready.length = 0;
    state.readyHead = 0;
  }
}

/** Takes a node from the queue that stops before it was looked at. */
export function dequeueAnywhere(state: ExecutionState, index: number): void {
  if (!state.ready.includes(index, state.readyHead)) return;
  state.ready = state.ready.slice(state.readyHead).filter((ready) => ready !== index);
  state.readyHead = 0;
}

/** A group or loop ends before its body: nothing of it may begin any more. */
export function dequeueBody(state: ExecutionState, { index, body }: LinkedNode): void {
  if (state.ready.length === 0) return;
  const gone = new Set(body?.inside).add(index);
  state.ready = state.ready.slice(state.readyHead).filter((ready) => !gone.has(ready));
  state.readyHead = 0;
}

/** The node that `decide` must look at next. */
export function peekReady(state: ExecutionState): number | undefined {
  return state.ready[state.readyHead];
}

function settleInBody(state: ExecutionState, container: number | undefined): void {
  if (container === undefined) {
    state.openNodes--;
    return;
  }
  const { turn } = state.nodes[container] as NodeState;
  if (turn !== undefined && --turn.open === 0) state.ready.push(container);
}

function settleBranch(plan: Plan, state: ExecutionState, parallel: number, branch: number): void {
  const node = state.nodes[parallel] as NodeState;
  // Decided already: a branch of a race that goes on to its end.
  if (node.status !== "waiting" || state.unsettled[parallel] === -1) return;
  const left = (state.unsettled[parallel] as number) - 1;
  state.unsettled[parallel] = left;
  const { definition } = plan.nodes[parallel] as LinkedNode;
  const { status } = state.nodes[branch] as NodeState;
  if (definition.kind !== "parallel" || definition.waitAll) {
    // A parallel that says what becomes of errors is about those of its branches.
    if (left === 0 || (status === "failed" && definition.onError !== undefined)) enqueueJoin(state, parallel);
    return;
  }
  if (status === "completed") (node.chosen ??= []).push(branch);
  const completed = node.chosen?.length ?? 0;
  const need = definition.need ?? 1;
  if (completed >= need || completed + left < need) enqueueJoin(state, parallel);
}

function enqueueJoin(state: ExecutionState, parallel: number): void {
  state.unsettled[parallel] = -1;
  state.ready.push(parallel);
}

function activate(state: ExecutionState, target: number, by: number): void {
  const node = state.nodes[target] as NodeState;
  if (node.activatedBy === undefined) node.activatedBy = by;
}

function release(plan: Plan, state: ExecutionState, index: number): void {
  // It has begun early, or was skipped: what comes later means nothing to it.
  if ((state.nodes[index] as NodeState).status !== "pending") return;
  const left = (state.unsettled[index] as number) - 1;
  state.unsettled[index] = left;
  if (left === 0) state.ready.push(index);
  else if (left > 0 && isDecided(plan, state, plan.nodes[index] as LinkedNode)) {
    // While it waits in the queue what is released counts below zero.
    state.unsettled[index] = 0;
    state.ready.push(index);
  }
}

/** Its `depends` holds, or cannot hold any more, before everything that it names is settled. */
function isDecided(plan: Plan, state: ExecutionState, { index, definition }: LinkedNode): boolean {
  const { depends, activators } = definition;
  if (depends === undefined || !activators.every((activator) => hasReleased(plan, state, activator, index)))
    return false;
  return evaluateDependence(state, depends) !== undefined;
}

const PAST: ReadonlySet<NodeStatus> = new Set(["completed", "failed", "skipped", "canceled"]);

/** Of a node whose container goes on: what waits for it has been told. */
export function isSettled(state: ExecutionState, index: number): boolean {
  return PAST.has((state.nodes[index] as NodeState).status);
}

/** Counts anew what a node that has not begun waits for. It becomes ready when that is nothing. */
export function recount(plan: Plan, state: ExecutionState, linked: LinkedNode): void {
  const { index, definition } = linked;
  const open =
    definition.dependencies.filter((dependency) => !isSettled(state, dependency)).length +
    definition.activators.filter((activator) => !hasReleased(plan, state, activator, index)).length;
  const by = definition.activators.find((activator) => hasChosen(plan, state, activator, index));
  if (by !== undefined) activate(state, index, by);
  state.unsettled[index] = open === 0 || isDecided(plan, state, linked) ? 0 : open;
  if (state.unsettled[index] === 0) state.ready.push(index);
}

/** Counts anew how many branches a parallel waits for that has begun. */
export function recountBranches(plan: Plan, state: ExecutionState, parallel: LinkedNode): void {
  const node = state.nodes[parallel.index] as NodeState;
  if (node.chosen !== undefined) {
    node.chosen = node.chosen.filter((branch) => (state.nodes[branch] as NodeState).status === "completed");
  }
  state.unsettled[parallel.index] = parallel.activates.filter((branch) => !isSettled(state, branch)).length;
}

function hasChosen(plan: Plan, state: ExecutionState, activator: number, target: number): boolean {
  const node = state.nodes[activator] as NodeState;
  const { definition, fallbacks } = plan.nodes[activator] as LinkedNode;
  // One that has stopped needs nobody in its place.
  if (fallbacks.includes(target)) return node.fallback === target && node.status !== "canceled";
  if (definition.kind === "parallel") return node.status !== "pending" && hasBegun(node);
  return node.chosen?.includes(target) ?? false;
}

function hasReleased(plan: Plan, state: ExecutionState, activator: number, target: number): boolean {
  const node = state.nodes[activator] as NodeState;
  const { definition, fallbacks } = plan.nodes[activator] as LinkedNode;
  if (node.status !== "waiting") return PAST.has(node.status);
  return fallbacks.includes(target)
    ? standInOf(node) !== undefined
    : definition.kind === "parallel" && (hasBegun(node) || node.isPassed === true);
}

/** Of a parallel: it has released its branches. One that was skipped, or whose `when` has failed, never does. */
export function hasBegun({ startedAt }: NodeState): boolean {
  return startedAt !== undefined;
}
