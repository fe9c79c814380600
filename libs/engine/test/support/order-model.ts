import { isDeepStrictEqual } from "node:util";
import {
  type Dependence,
  type Event,
  type ItemCounts,
  type Json,
  type Outcome,
  type Plan,
  type PlanNode,
  countItems,
  findField,
  isObject,
} from "../../src/index.ts";

interface OrderModel {
  observe(event: Event): void;
  /** To be called between two turns. */
  rest(): void;
}

/**
 * The rules of order, told a second time and from events alone: it knows neither counters nor queues. `observe` throws at
 * the first event that breaks one.
 */
export function createOrderModel(plan: Plan): OrderModel {
  const begun = new Set<number>();
  const ended = new Map<number, "completed" | "failed" | "skipped" | "canceled">();
  /** A person has said what becomes of them. */
  const resolved = new Set<number>();
  /** By node: who chose it. */
  const activators = new Map<number, Set<number>>();
  const activate = (target: number, by: number) =>
    activators.set(target, (activators.get(target) ?? new Set()).add(by));
  const isActivated = (index: number) => (activators.get(index)?.size ?? 0) > 0;
  /** Of those that have completed. */
  const outputs = new Map<number, Json>();
  /** By node: what runs in its place. */
  const fallbacks = new Map<number, number>();
  /** By map: items of the execution that is run again. */
  const keptItems = new Map<number, Set<number>>();
  const maps = new Map<number, { count: number; started: number; running: Set<number> }>();
  /** By map: how its items have ended, in the execution that is run again too. */
  const itemEnds = new Map<number, ItemCounts>();
  let isOver = false;
  let isCompensating = false;
  /** What runs because the execution was to fail. */
  let rescuer: number | undefined;
  let isHandled = false;
  let lastAt = 0;

  const definitionOf = (index: number) => plan.nodes[index]?.definition as PlanNode;
  const isReleased = (activator: number, target: number) => {
    const definition = definitionOf(activator);
    if (ended.has(activator)) return true;
    const isFallback = definition.onError?.some((one) => one.action === "fallback" && one.target === target);
    return isFallback ? fallbacks.has(activator) : definition.kind === "parallel" && begun.has(activator);
  };

  /** Of three values. */
  function holds(condition: Dependence): boolean | undefined {
    if ("not" in condition) {
      const value = holds(condition.not);
      return value === undefined ? undefined : !value;
    }
    if ("node" in condition) {
      const end = ended.get(condition.node);
      if (end === undefined) return undefined;
      const outcome: Outcome = end === "completed" ? "succeeded" : end;
      const items = itemEnds.get(condition.node);
      if (condition.outcome === "any_succeeded") return items !== undefined && items.succeeded > 0;
      if (condition.outcome === "all_failed") return items !== undefined && items.failed === items.count;
      return condition.outcome === "settled" || condition.outcome === outcome;
    }
    const values = ("all" in condition ? condition.all : condition.any).map(holds);
    const decisive = !("all" in condition);
    if (values.includes(decisive)) return decisive;
    return values.includes(undefined) ? undefined : !decisive;
  }

  function checkMayBegin(index: number, event: Event): void {
    const definition = definitionOf(index);
    const { dependencies, join, depends, container } = definition;
    checkPlace(index, event);
    if (container !== undefined)
      check(begun.has(container) && !ended.has(container), event, "its container is not open");
    if (event.type === "node_skipped" && event.reason === "not_needed") return;
    check(
      definition.activators.every((activator) => isReleased(activator, index)),
      event,
      "an activator is not settled",
    );
    const isSkipped = event.type === "node_skipped";
    if (depends !== undefined) {
      check(holds(depends) !== undefined, event, "its condition is not decided");
      if (!isSkipped) check(holds(depends) === true, event, "its condition does not hold");
    } else {
      check(
        dependencies.every((one) => ended.has(one)),
        event,
        "a dependency is not settled",
      );
    }
    if (isSkipped) return;
    check(definition.activators.length === 0 || isActivated(index), event, "no activator chose it");
    if (depends !== undefined) return;
    const completed = dependencies.filter((one) => ended.get(one) === "completed").length;
    const needed = join === "all" ? dependencies.length : Math.min(1, dependencies.length);
    check(completed >= needed, event, "it lacks completed dependencies");
  }

  /** `current` is the output of the only dependency that has completed, whatever that is. */
  function checkFlow(index: number, event: Event): void {
    if (event.type !== "task_scheduled" || !isObject(event.input)) return;
    const completed = definitionOf(index).dependencies.filter((one) => ended.get(one) === "completed");
    const flow = findField(event.input, "flow");
    if (completed.length !== 1 || flow === undefined) return;
    check(isDeepStrictEqual(flow, outputs.get(completed[0] as number)), event, "something else flows into it");
  }

  /** What is there for a failure of the execution runs after one, and then nothing else does, but for the end. */
  function checkPlace(index: number, event: Event): void {
    let at = index;
    for (let next = definitionOf(at).container; next !== undefined; next = definitionOf(at).container) at = next;
    const isRescuer = plan.document.onError?.some((one) => one.action === "fallback" && one.target === at) ?? false;
    if (isRescuer && rescuer === undefined)
      check(event.type === "node_skipped" && event.reason === "not_needed", event, "the execution has not failed");
    else if (plan.nodes[at]?.role !== "finally")
      check(!isHandled || at === rescuer, event, "something else runs because the execution was to fail");
  }

  /** Everything inside begins afresh. */
  function observeTurn(index: number, event: Extract<Event, { type: "turn_started" }>): void {
    if (event.turn === 0) checkMayBegin(index, event);
    for (const inside of plan.nodes[index]?.body?.inside ?? []) {
      if (event.turn > 0 && definitionOf(inside).container === index) {
        check(ended.has(inside), event, "a node of the turn before is not settled");
      }
      forget(inside);
    }
    begun.add(index);
  }

  /** With another try it begins afresh, and what is inside of it. */
  function observeResolution(index: number, action: string): void {
    resolved.add(index);
    if (action === "retry") for (const at of [index, ...(plan.nodes[index]?.body?.inside ?? [])]) forget(at);
  }

  /** It begins afresh. Who chose it before still does, unless they begin afresh too. */
  function forget(index: number): void {
    begun.delete(index);
    ended.delete(index);
    outputs.delete(index);
    fallbacks.delete(index);
    resolved.delete(index);
    maps.delete(index);
    itemEnds.delete(index);
    keptItems.delete(index);
    for (const by of activators.values()) by.delete(index);
  }

  /** It ended in another execution. */
  function observeReuse(index: number, event: Extract<Event, { type: "node_reused" }>): void {
    check(!begun.has(index) && !ended.has(index), event, "the node has begun");
    begun.add(index);
    ended.set(index, event.status);
    if (event.output !== undefined) outputs.set(index, event.output);
    if (event.itemCounts !== undefined) itemEnds.set(index, event.itemCounts);
    const definition = definitionOf(index);
    if (definition.container !== undefined)
      check(ended.has(definition.container), event, "its container is not kept as a whole");
    const chosen = definition.kind === "switch" ? (event.chosen ?? []) : [];
    for (const id of event.fallbackId === undefined ? chosen : [event.fallbackId])
      activate(plan.indices.get(id) as number, index);
    if (event.fallbackId !== undefined) fallbacks.set(index, plan.indices.get(event.fallbackId) as number);
    if (definition.kind === "parallel" && event.startedAt !== undefined)
      for (const branch of definition.branches) activate(branch, index);
  }

  /** Items begin in their order, some at once, and each ends once. */
  function observeItem(index: number, event: Extract<Event, { type: "item_started" | "item_ended" }>): void {
    const map = maps.get(index);
    const definition = definitionOf(index);
    if (map === undefined || definition.kind !== "map") return check(false, event, "there is no such map");
    if (event.type === "item_started") {
      while (keptItems.get(index)?.has(map.started)) map.started++;
      check(event.index === map.started && event.index < map.count, event, "another item is next");
      map.started++;
      map.running.add(event.index);
      check(map.running.size <= definition.maxConcurrency, event, "too many items run");
    } else {
      check(map.running.delete(event.index), event, "the item does not run");
      const ends = itemEnds.get(index);
      if (ends !== undefined && event.end.outcome !== "canceled") ends[event.end.outcome]++;
    }
  }

  function observeNode(index: number, event: Event): void {
    check(!ended.has(index), event, "the node has ended before");
    if (event.type === "turn_started") return observeTurn(index, event);
    if (event.type === "turn_ended") return;
    if (event.type === "incident_resolved") return observeResolution(index, event.resolution.action);
    if (event.type === "items_reused") return void keptItems.set(index, new Set(event.indices));
    if (event.type === "node_reused") return observeReuse(index, event);
    if (event.type === "item_started" || event.type === "item_ended") return observeItem(index, event);
    if (event.type === "map_started") {
      const count = countItems(event.items);
      maps.set(index, { count, started: 0, running: new Set() });
      itemEnds.set(index, { count, succeeded: keptItems.get(index)?.size ?? 0, failed: 0 });
    }
    checkFlow(index, event);
    const isRetry = event.type === "task_scheduled" && event.input === undefined;
    if (!begun.has(index) && event.type !== "node_canceled") checkMayBegin(index, event);
    else if (event.type === "task_scheduled") check(isRetry, event, "the node has begun before");
    if (event.type !== "logged" && event.type !== "attributes_set" && event.type !== "custom_event_emitted")
      begun.add(index);
    const definition = definitionOf(index);
    if (event.type === "wait_started" && definition.kind === "parallel")
      for (const branch of definition.branches) activate(branch, index);
    if (event.type === "error_handled") {
      if (event.outcome.action === "fallback") {
        const target = plan.indices.get(event.outcome.fallbackId) as number;
        fallbacks.set(index, target);
        activate(target, index);
      } else if (event.outcome.action !== "incident") {
        ended.set(index, event.outcome.action === "skip" ? "skipped" : "completed");
        if (event.outcome.action === "continue") outputs.set(index, event.outcome.output);
      }
    }
    const isEnd = /^node_(completed|failed|skipped|canceled)$/.test(event.type) || event.type === "error_handled";
    if (isEnd && maps.get(index)?.running.size) check(false, event, "items of it still run");
    if (isEnd) maps.delete(index);
    if (event.type === "node_completed") {
      for (const id of event.chosen ?? []) activate(plan.indices.get(id) as number, index);
      checkCompletion(index, definition, event);
    }
    if (event.type === "task_completed" || event.type === "node_completed") {
      ended.set(index, "completed");
      outputs.set(index, event.output);
    }
    if (event.type === "node_failed") ended.set(index, "failed");
    if (event.type === "node_skipped") ended.set(index, "skipped");
    if (event.type === "node_canceled") {
      ended.set(index, "canceled");
      const fallback = fallbacks.get(index);
      if (fallback !== undefined && !begun.has(fallback)) activators.get(fallback)?.delete(index);
    }
  }

  function checkCompletion(index: number, definition: PlanNode, event: Event): void {
    const fallback = fallbacks.get(index);
    if (resolved.has(index)) return;
    if (fallback !== undefined) check(ended.get(fallback) === "completed", event, "its fallback has not completed");
    else if (definition.kind === "parallel") checkBranches(definition, event);
    else if (definition.kind === "group")
      check(
        definition.body.every((one) => ended.has(one)),
        event,
        "its body is not settled",
      );
  }

  function checkBranches(definition: Extract<PlanNode, { kind: "parallel" }>, event: Event): void {
    const isDecided = definition.waitAll
      ? definition.branches.every((branch) => ended.has(branch))
      : definition.branches.filter((branch) => ended.get(branch) === "completed").length >= (definition.need ?? 1);
    check(isDecided, event, "its branches are not decided");
  }

  return {
    rest() {
      if (isOver) return;
      for (const [owner, fallback] of fallbacks) {
        if (ended.get(owner) !== "canceled" || !begun.has(fallback) || ended.has(fallback)) continue;
        const isNeeded = [...fallbacks].some(([other, by]) => by === fallback && !ended.has(other));
        if (!isNeeded) throw new Error(`${plan.nodes[fallback]?.id} runs in the place of nodes that have stopped`);
      }
    },
    observe(event) {
      check(!isOver, event, "the execution is over");
      if (event.type === "execution_started") isCompensating = event.compensates !== undefined;
      check(event.at >= lastAt, event, "time went back");
      lastAt = event.at;
      // Endings have a model of their own.
      if ("nodeId" in event && !isOfEnding(event)) observeNode(plan.indices.get(event.nodeId) as number, event);
      if (event.type === "execution_error_handled") {
        check(!isHandled, event, "it was handled before");
        isHandled = true;
        if (event.outcome.action === "fallback") rescuer = plan.indices.get(event.outcome.fallbackId);
      }
      if (event.type === "execution_completed" && rescuer !== undefined)
        check(ended.get(rescuer) === "completed", event, "what runs for the failure has not completed");
      if (event.type === "execution_reset") {
        for (const id of event.nodeIds) forget(plan.indices.get(id) as number);
      }
      isOver =
        event.type === "execution_completed" ||
        event.type === "execution_failed" ||
        event.type === "execution_canceled";
      if (event.type === "execution_completed")
        check(
          isCompensating ||
            isHandled ||
            plan.nodes.every(
              ({ index, definition, role }) =>
                role !== undefined || definition.container !== undefined || ended.has(index),
            ),
          event,
          "not every node has ended",
        );
    },
  };
}

function isOfEnding(event: Extract<Event, { nodeId: string }>): boolean {
  const { type, nodeId } = event;
  return type === "compensation_recorded" || type === "child_ended" || nodeId.endsWith(".compensate");
}

function check(holds: boolean, event: Event, fault: string): void {
  if (!holds) throw new Error(`${JSON.stringify(event)}: ${fault}`);
}
