import type { ExecutionState } from "./execution-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";

// Who becomes ready when: counters only, so that each edge of the graph costs one step in the life of an execution.

/** A node is settled: tells those that waited for it. `node.status` says how it ended. */
export function settle(plan: Plan, state: ExecutionState, linked: LinkedNode): void {
  const node = state.nodes[linked.index] as NodeState;
  state.openNodes--;
  for (const dependent of linked.dependents) release(state, dependent);
  if (linked.definition.kind === "switch") {
    for (const target of node.chosen ?? []) activate(state, target, linked.index);
  }
  // A parallel has released its branches when it began, unless it never did.
  if (linked.definition.kind !== "parallel" || node.startedAt === undefined) {
    for (const target of linked.activates) release(state, target);
  }
  for (const parallel of linked.branchOf) settleBranch(plan, state, parallel, linked.index);
}

/** A parallel begins: its branches may run. */
export function activateBranches(state: ExecutionState, parallel: LinkedNode): void {
  state.unsettled[parallel.index] = parallel.activates.length;
  for (const branch of parallel.activates) {
    activate(state, branch, parallel.index);
    release(state, branch);
  }
  if (parallel.activates.length === 0) enqueueJoin(state, parallel.index);
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

/** The node that `decide` must look at next. */
export function peekReady(state: ExecutionState): number | undefined {
  return state.ready[state.readyHead];
}

function settleBranch(plan: Plan, state: ExecutionState, parallel: number, branch: number): void {
  const node = state.nodes[parallel] as NodeState;
  // Decided already: a branch of a race that goes on to its end.
  if (node.status !== "waiting" || state.unsettled[parallel] === -1) return;
  state.unsettled[parallel] = (state.unsettled[parallel] as number) - 1;
  const definition = (plan.nodes[parallel] as LinkedNode).definition;
  const isRace = definition.kind === "parallel" && !definition.waitAll;
  if (isRace && (state.nodes[branch] as NodeState).status === "completed") {
    node.chosen = [branch];
    enqueueJoin(state, parallel);
  } else if (state.unsettled[parallel] === 0) {
    enqueueJoin(state, parallel);
  }
}

function enqueueJoin(state: ExecutionState, parallel: number): void {
  state.unsettled[parallel] = -1;
  state.ready.push(parallel);
}

function activate(state: ExecutionState, target: number, by: number): void {
  const node = state.nodes[target] as NodeState;
  if (node.activatedBy === undefined) node.activatedBy = by;
}

function release(state: ExecutionState, index: number): void {
  const left = (state.unsettled[index] as number) - 1;
  state.unsettled[index] = left;
  if (left === 0) state.ready.push(index);
}
