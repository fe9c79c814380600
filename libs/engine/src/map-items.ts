import type { Json } from "./json.ts";

/** The items of a map: a list, or numbers that need not be written out. */
export type MapItems = Json[] | MapRange;

/** The whole numbers from `from` on, `count` of them. */
export interface MapRange {
  from: number;
  count: number;
}

/** How the items of a map have ended so far. */
export interface ItemCounts {
  /** All of them, also those that have not begun. */
  count: number;
  succeeded: number;
  failed: number;
}

export function countItems(items: MapItems): number {
  return Array.isArray(items) ? items.length : items.count;
}

export function itemAt(items: MapItems, index: number): Json {
  return Array.isArray(items) ? (items[index] as Json) : items.from + index;
}
