import { type ItemCounts, countItems } from "./map-items.ts";
import type { NodeState } from "./state.ts";

/** Of a map that has begun, here or in the execution that this one runs again. */
export function itemCountsOf({ map, itemCounts }: NodeState): ItemCounts | undefined {
  if (map === undefined) return itemCounts;
  const { items, succeeded, failed } = map;
  return { count: countItems(items), succeeded, failed };
}
