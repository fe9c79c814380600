import type { ExecutionState } from "./execution-state.ts";
import type { Plan } from "./plan.ts";

/** A node that runs an execution, or an item of a map: `resize` or `resize[7]`. */
export interface ChildPlace {
  /** Of the node in the plan. */
  node: number;
  /** Of the item. */
  item?: number;
}

/** Where in its parent a child belongs, by the name that its parent has given it; undefined when there is no such node. */
export function findChildPlace(plan: Plan, nodeId: string): ChildPlace | undefined {
  const node = plan.indices.get(nodeId);
  if (node !== undefined) return { node };
  const [, mapId, item] = /^(.*)\[(\d+)\]$/.exec(nodeId) ?? [];
  const map = mapId === undefined ? undefined : plan.indices.get(mapId);
  return map === undefined ? undefined : { node: map, item: Number(item) };
}

/** Whether the execution waits for the end of this child. */
export function awaitsChild(plan: Plan, state: ExecutionState, nodeId: string, childId: string): boolean {
  const place = findChildPlace(plan, nodeId);
  if (place === undefined) return false;
  const node = state.nodes[place.node];
  // What undoes steps is not there yet.
  if (node === undefined) return false;
  const { status, fallback, childId: awaited, map } = node;
  if (status !== "waiting" || fallback !== undefined) return false;
  if (place.item === undefined) return awaited === childId;
  return map?.active.some((item) => item.index === place.item && item.childId === childId) ?? false;
}
