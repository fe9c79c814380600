import { checkPayload, evaluateField, requireBoolean, scopeOf } from "../evaluate.ts";
import { coreFailure, invalidValue } from "../failure.ts";
import type { Field, FieldCompiler } from "../field.ts";
import { describeType, isObject } from "../json-object.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ItemEnd } from "../events.ts";
import { MAX_MAP_ITEMS } from "../limits.ts";
import { type MapItems, type MapRange, countItems, itemAt } from "../map-items.ts";
import { canStartItem, toleratedFailures } from "../map-state.ts";
import { itemNodeId, runName } from "../obligations.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { MapNode } from "../plan-node.ts";
import type { MapState, NodeState } from "../state.ts";
import { captureInput, itemVersion } from "../surroundings.ts";
import { completeNode, failNode } from "../ends.ts";
import { stopItems } from "../stops.ts";
import { emit } from "../turn.ts";

/** Starts an execution for each item, some at once, and completes when all have ended. */
export function linkMap(definition: MapNode, compiler: FieldCompiler): NodeProgram {
  const listItems = linkItems(definition, compiler);
  const inputs = definition.inputs === undefined ? undefined : compiler.template("inputs", definition.inputs);
  const until = definition.until === undefined ? undefined : compiler.expression("until", definition.until);
  return {
    begin(turn, node) {
      const items = listItems(turn, node);
      if (Array.isArray(items)) checkPayload(turn, "the list", items);
      if (countItems(items) === 0) return completeNode(turn, node, outputOf(startedMap(definition, items)));
      emit(turn, { type: "map_started", at: turn.at, nodeId: node.id, items });
    },
    /** One item at a time, so that a wide map lets its neighbours have their turns. */
    join(turn, node) {
      const map = mapOf(turn, node);
      if (canStartItem(definition, map)) startItem(turn, node, definition, map, inputs);
      else completeNode(turn, node, outputOf(map));
    },
    itemEnded(turn, node, index, end) {
      emit(turn, { type: "item_ended", at: turn.at, nodeId: node.id, index, end: keptEnd(definition, end) });
      const map = mapOf(turn, node);
      if ((map.outputLength ?? 0) > turn.maxPayloadBytes) return failNode(turn, node, tooMuchOutput(map, turn));
      if (map.failed > toleratedFailures(definition, map)) {
        const last = end.outcome === "failed" ? end.failure : undefined;
        return failNode(turn, node, tooManyFailures(map, index, last?.message));
      }
      if (until === undefined || !isEnough(turn, node, until, map)) return;
      stopItems(turn, node);
      completeNode(turn, node, outputOf(map));
    },
  };
}

/** What the parent remembers of an item's end. */
function keptEnd({ collect }: MapNode, end: EndedItem): EndedItem {
  return collect === false && end.outcome === "succeeded" ? { outcome: "succeeded", output: null } : end;
}

function startedMap({ collect }: MapNode, items: MapItems): MapState {
  return { items, next: 0, active: [], succeeded: 0, failed: 0, ...(collect !== false && { outputs: [] }) };
}

type EndedItem = Exclude<ItemEnd, { outcome: "canceled" }>;

function linkItems({ items }: MapNode, compiler: FieldCompiler): (turn: Turn, node: LinkedNode) => MapItems {
  if (isRange(items)) {
    const from = compiler.template("range.from", items.range.from);
    const to = compiler.template("range.to", items.range.to);
    return (turn, node) => listRange(wholeNumber(turn, node, from), wholeNumber(turn, node, to));
  }
  const list = compiler.template("for_each", items);
  return (turn, node) => {
    const value = evaluateField(list, scopeOf(turn, node));
    if (!Array.isArray(value)) {
      throw invalidValue(`for_each: gave ${describeType(value)}; it must give a list`);
    }
    if (value.length > MAX_MAP_ITEMS)
      throw invalidValue(`for_each: gave ${value.length} items; ${MAX_MAP_ITEMS} are allowed`);
    return value;
  };
}

function isRange(items: MapNode["items"]): items is { range: { from: Json; to: Json } } {
  return isObject(items) && isObject(items["range"] ?? null);
}

function listRange(from: number, to: number): MapRange {
  const count = Math.max(0, to - from + 1);
  if (count > MAX_MAP_ITEMS)
    throw invalidValue(`range: from ${from} to ${to} are ${count} items; ${MAX_MAP_ITEMS} are allowed`);
  return { from, count };
}

function wholeNumber(turn: Turn, node: LinkedNode, field: Field): number {
  const value = evaluateField(field, scopeOf(turn, node));
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw invalidValue(
    `${field.path}: gave ${typeof value === "number" ? value : describeType(value)}; it must give a whole number`,
  );
}

function startItem(turn: Turn, node: LinkedNode, definition: MapNode, map: MapState, inputs: Field | undefined): void {
  const index = map.next;
  const names = { [definition.itemName ?? "item"]: itemAt(map.items, index), index };
  const input = inputOf(turn, node, definition, names, inputs);
  if (!isObject(input)) {
    throw invalidValue(
      `inputs: the input of a workflow is an object, and this is ${describeType(input)}; name it, like { value: ... }`,
    );
  }
  checkPayload(turn, "the item's input", input);
  const version = itemVersion(definition, turn.state);
  emit(turn, {
    type: "item_started",
    at: turn.at,
    nodeId: node.id,
    index,
    childId: turn.context.childId(itemNodeId(runName(node.id, turn.state.nodes[node.index] as NodeState), index)),
    workflowId: definition.workflowId,
    ...(version !== undefined && { version }),
    input,
  });
}

function inputOf(turn: Turn, node: LinkedNode, { captures }: MapNode, names: JsonObject, inputs?: Field): Json {
  if (captures !== undefined) return captureInput(captures, names, scopeOf(turn, node));
  return inputs ? evaluateField(inputs, scopeOf(turn, node, names)) : names;
}

function isEnough(turn: Turn, node: LinkedNode, until: Field, map: MapState): boolean {
  const { succeeded, failed, items, outputs } = map;
  const names = { items: { succeeded, failed, count: countItems(items), outputs: outputs ?? null } };
  return requireBoolean(evaluateField(until, scopeOf(turn, node, names)), "until");
}

/** As many outputs as there are items, or how they went. */
function outputOf({ items, succeeded, failed, outputs }: MapState): Json {
  const count = countItems(items);
  return outputs === undefined
    ? { count, succeeded, failed }
    : Array.from({ length: count }, (_, index) => outputs[index] ?? null);
}

function mapOf({ state }: Turn, { index }: LinkedNode): MapState {
  return (state.nodes[index] as NodeState).map as MapState;
}

function tooManyFailures({ failed, items }: MapState, index: number, message = "") {
  return coreFailure(
    "too_many_failures",
    `${failed} of ${countItems(items)} items have failed, the last one, item ${index}, with: ${message}`,
  );
}

function tooMuchOutput({ succeeded }: MapState, { maxPayloadBytes }: Turn) {
  return coreFailure(
    "payload_too_large",
    `the outputs of ${succeeded} items are more than the limit of ${maxPayloadBytes} bytes; write \`collect: false\`, and read the outputs from the executions of the items`,
  );
}
