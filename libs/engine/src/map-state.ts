import type { Event } from "./events.ts";
import { type ExecutionState, setStatus } from "./execution-state.ts";
import { approximateBytes } from "./payload-size.ts";
import { countItems } from "./map-items.ts";
import type { LinkedNode } from "./plan.ts";
import type { MapNode } from "./plan-document.ts";
import { dequeue } from "./settle.ts";
import type { MapState, NodeState } from "./state.ts";

// A map in the state of its execution: numbers, what runs, and the outputs. Everything else is in the executions of its items.

type EventOf<Type extends Event["type"]> = Extract<Event, { type: Type }>;

export function startMap(state: ExecutionState, linked: LinkedNode, { items, at }: EventOf<"map_started">): void {
  const node = state.nodes[linked.index] as NodeState;
  dequeue(state, linked.index);
  setStatus(state, node, "waiting");
  node.startedAt = at;
  if (Array.isArray(items)) state.payloadBytes += approximateBytes(items);
  const isCollecting = (linked.definition as MapNode).collect !== false;
  node.map = { items, next: 0, active: [], succeeded: 0, failed: 0, ...(isCollecting && { outputs: [] }) };
  enqueue(state, linked, node.map);
}

export function startItem(state: ExecutionState, linked: LinkedNode, event: EventOf<"item_started">): void {
  const map = mapOf(state, linked);
  const { index, childId, input } = event;
  dequeue(state, linked.index);
  map.isQueued = false;
  map.next = index + 1;
  map.active.push({ index, childId, input });
  state.payloadBytes += approximateBytes(input);
  enqueue(state, linked, map);
}

export function endItem(state: ExecutionState, linked: LinkedNode, { index, end }: EventOf<"item_ended">): void {
  const map = mapOf(state, linked);
  const at = map.active.findIndex((item) => item.index === index);
  const [item] = at < 0 ? [] : map.active.splice(at, 1);
  if (item !== undefined) state.payloadBytes -= approximateBytes(item.input);
  if (end.outcome === "canceled") {
    const { restarts = 0 } = state.nodes[linked.index] as NodeState;
    // It may not have been told yet, and nothing else here remembers it.
    if (item !== undefined)
      (state.abandoned ??= []).push({ node: linked.index, restarts, itemIndex: index, childId: item.childId });
    return;
  }
  if (map.outputs !== undefined) {
    const output = end.outcome === "succeeded" ? end.output : null;
    while (map.outputs.length < index) map.outputs.push(null);
    map.outputs[index] = output;
    map.outputLength = (map.outputLength ?? 0) + JSON.stringify(output).length + 1;
    state.payloadBytes += approximateBytes(output);
  }
  if (end.outcome === "succeeded") map.succeeded++;
  else map.failed++;
  enqueue(state, linked, map);
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
function enqueue(state: ExecutionState, linked: LinkedNode, map: MapState): void {
  const isOver = map.next >= countItems(map.items) && map.active.length === 0;
  if (map.isQueued || !(isOver || canStartItem(linked.definition as MapNode, map))) return;
  map.isQueued = true;
  state.ready.push(linked.index);
}

function mapOf(state: ExecutionState, { index }: LinkedNode): MapState {
  return (state.nodes[index] as NodeState).map as MapState;
}
