import type { Event, NodeReused } from "./events.ts";
import { type ExecutionState, setStatus } from "./execution-state.ts";
import { indexOfNode } from "./node-index.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { activateFallback, dequeue, dequeueAnywhere, hasBegun, releaseBranches, settle } from "./settle.ts";
import type { NodeState } from "./state.ts";
import { OUTSIDE, setWrites } from "./vars.ts";

// What a rerun takes over: its history says everything, and needs nothing of the execution that it repeats.

/** The node has ended without running. What stands in a group, loop or map that is kept as a whole is there to be read only. */
export function reuseNode(plan: Plan, state: ExecutionState, linked: LinkedNode, event: NodeReused): void {
  const node = state.nodes[linked.index] as NodeState;
  const { type: _, at: __, nodeId: ___, status, chosen, fallbackId, ...kept } = event;
  setStatus(state, node, status);
  Object.assign(node, kept);
  node.isReused = true;
  if (chosen !== undefined) node.chosen = chosen.map((id) => indexOfNode(plan, id));
  for (const value of [kept.output, kept.failure?.details]) {
    if (value !== undefined) state.payloadBytes += approximateBytes(value);
  }
  if (linked.definition.container !== undefined) return;
  dequeue(state, linked.index);
  dequeueAnywhere(state, linked.index);
  if (linked.definition.kind === "parallel" && hasBegun(node)) releaseBranches(plan, state, linked);
  if (fallbackId !== undefined) {
    node.fallback = indexOfNode(plan, fallbackId);
    activateFallback(plan, state, linked, node.fallback);
  }
  settle(plan, state, linked);
}

export function reuseVars(plan: Plan, state: ExecutionState, event: Extract<Event, { type: "vars_reused" }>): void {
  for (const { fields } of event.writes) state.payloadBytes += approximateBytes(fields);
  setWrites(
    state,
    event.writes.map(({ nodeId, fields }) => ({ node: nodeId === "" ? OUTSIDE : indexOfNode(plan, nodeId), fields })),
  );
}

export function keepItems(
  state: ExecutionState,
  node: NodeState,
  { indices, items, outputs }: Extract<Event, { type: "items_reused" }>,
): void {
  node.keptItems = { indices, items, outputs };
  state.payloadBytes += approximateBytes(outputs);
}
