import { abandon } from "./abandoned.ts";
import type { Event } from "./events.ts";
import { type ExecutionState, setStatus } from "./execution-state.ts";
import { approximateBytes } from "./payload-size.ts";
import { countItems, itemAt } from "./map-items.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { MapNode } from "./plan-node.ts";
import { dequeue } from "./settle.ts";
import type { Json } from "./json.ts";
import { isSameJson } from "./same-json.ts";
import type { KeptItems, MapState, NodeState } from "./state.ts";

// A map in the state of its execution: numbers, what runs, and the outputs. Everything else is in the executions of its items.

type EventOf<Type extends Event["type"]> = Extract<Event, { type: Type }>;

export function startMap(
  plan: Plan,
  state: ExecutionState,
  linked: LinkedNode,
  { items, at }: EventOf<"map_started">,
): void {
  const node = state.nodes[linked.index] as NodeState;
  dequeue(state, linked.index);
  setStatus(state, node, "waiting");
  node.startedAt = at;
  if (Array.isArray(items)) state.payloadBytes += approximateBytes(items);
  const isCollecting = (linked.definition as MapNode).collect !== false;
  node.map = { items, next: 0, active: [], succeeded: 0, failed: 0, ...(isCollecting && { outputs: [] }) };
  if (node.keptItems !== undefined) takeKept(node.map, node.keptItems);
  delete node.keptItems;
  enqueue(plan, state, linked, node.map);
}

export function startItem(plan: Plan, state: ExecutionState, linked: LinkedNode, event: EventOf<"item_started">): void {
  const map = mapOf(state, linked);
  const { index, childId, input } = event;
  dequeue(state, linked.index);
  map.isQueued = false;
  map.next = index + 1;
  skipReused(map);
  map.active.push({ index, childId, input });
  state.payloadBytes += approximateBytes(input);
  state.activeItems = (state.activeItems ?? 0) + 1;
  if (!hasRoom(plan, state)) holdQueued(state);
  enqueue(plan, state, linked, map);
}

export function endItem(
  plan: Plan,
  state: ExecutionState,
  linked: LinkedNode,
  { index, end, at }: EventOf<"item_ended">,
): void {
  const map = mapOf(state, linked);
  const place = map.active.findIndex((item) => item.index === index);
  const [item] = place < 0 ? [] : map.active.splice(place, 1);
  if (item !== undefined) {
    state.payloadBytes -= approximateBytes(item.input);
    state.activeItems = (state.activeItems ?? 1) - 1;
    releaseHeld(plan, state);
  }
  if (end.outcome !== "succeeded") (map.unsuccessful ??= []).push(index);
  if (end.outcome === "canceled") {
    const { restarts = 0 } = state.nodes[linked.index] as NodeState;
    if (item !== undefined)
      abandon(state, linked, { node: linked.index, restarts, at, itemIndex: index, childId: item.childId });
    return;
  }
  if (map.outputs !== undefined) {
    const output = end.outcome === "succeeded" ? end.output : null;
    keepOutput(map, map.outputs, index, output);
    state.payloadBytes += approximateBytes(output);
  }
  if (end.outcome === "succeeded") map.succeeded++;
  else map.failed++;
  enqueue(plan, state, linked, map);
}

function keepOutput(map: MapState, outputs: Json[], index: number, output: Json): void {
  while (outputs.length < index) outputs.push(null);
  outputs[index] = output;
  map.outputLength = (map.outputLength ?? 0) + JSON.stringify(output).length + 1;
}

/** The items of a rerun that are as they were before. Their bytes were counted when they were kept. */
function takeKept(map: MapState, { indices, items, outputs }: KeptItems): void {
  const reused: number[] = [];
  for (const [at, index] of indices.entries()) {
    if (index >= countItems(map.items) || !isSameJson(itemAt(map.items, index), items[at])) continue;
    if (map.outputs !== undefined) keepOutput(map, map.outputs, index, outputs[at] ?? null);
    map.succeeded++;
    reused.push(index);
  }
  if (reused.length > 0) map.reused = reused.reverse();
  skipReused(map);
}

function skipReused(map: MapState): void {
  while (map.reused?.at(-1) === map.next) {
    map.reused.pop();
    map.next++;
  }
  if (map.reused?.length === 0) delete map.reused;
}

/** Which items have succeeded, ascending. */
export function listSucceeded({ next, active, unsuccessful, reused }: MapState): number[] {
  const not = new Set([...(unsuccessful ?? []), ...active.map(({ index }) => index)]);
  const ended = Array.from({ length: next }, (_, index) => index);
  return [...ended.filter((index) => !not.has(index)), ...(reused ?? []).toReversed()];
}

/** How many items may fail. */
export function toleratedFailures({ tolerated }: MapNode, { items }: MapState): number {
  if (tolerated === undefined) return 0;
  return "count" in tolerated ? tolerated.count : Math.floor((countItems(items) * tolerated.percent) / 100);
}

export function canStartItem({ maxConcurrency }: MapNode, { items, next, active }: MapState): boolean {
  return next < countItems(items) && active.length < maxConcurrency;
}

/** `decide` looks at it when an item can start, or when all have ended. */
function enqueue(plan: Plan, state: ExecutionState, { index, definition }: LinkedNode, map: MapState): void {
  if (map.isQueued || map.isHeld) return;
  if (isOver(map) || (canStartItem(definition as MapNode, map) && hasRoom(plan, state))) {
    map.isQueued = true;
    state.ready.push(index);
  } else if (canStartItem(definition as MapNode, map)) hold(state, index, map);
}

function isOver({ items, next, active }: MapState): boolean {
  return next >= countItems(items) && active.length === 0;
}

function hasRoom({ maxActiveItems }: Plan, { activeItems = 0 }: ExecutionState): boolean {
  return activeItems < maxActiveItems;
}

function hold(state: ExecutionState, index: number, map: MapState): void {
  map.isHeld = true;
  (state.heldMaps ??= []).push(index);
}

/** No further item may start: the maps that were to start one wait. */
function holdQueued(state: ExecutionState): void {
  const queued = state.ready.slice(state.readyHead);
  state.ready = queued.filter((index) => {
    const map = state.nodes[index]?.map;
    if (!map?.isQueued || isOver(map)) return true;
    map.isQueued = false;
    hold(state, index, map);
    return false;
  });
  state.readyHead = 0;
}

/**
 * An item more may start. All that wait are looked at again, the one that has waited longest first: it may be stopped before it starts
 * one, and then the next one must. Those that have ended or begun afresh since do not wait any more.
 */
function releaseHeld(plan: Plan, state: ExecutionState): void {
  const { heldMaps } = state;
  if (heldMaps === undefined || heldMaps.length === 0 || !hasRoom(plan, state)) return;
  state.heldMaps = [];
  for (const index of heldMaps) {
    const map = state.nodes[index]?.map;
    if (!map?.isHeld) continue;
    map.isHeld = false;
    enqueue(plan, state, plan.nodes[index] as LinkedNode, map);
  }
}

function mapOf(state: ExecutionState, { index }: LinkedNode): MapState {
  return (state.nodes[index] as NodeState).map as MapState;
}
