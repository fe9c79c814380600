import type { Event, Plan, PlanNode } from "../../src/index.ts";

/**
 * The rules of order, told a second time and from events alone: it knows neither counters nor queues. `observe` throws at
 * the first event that breaks one.
 */
export function createOrderModel(plan: Plan): { observe(event: Event): void } {
  const begun = new Set<number>();
  const ended = new Map<number, "completed" | "failed" | "skipped" | "canceled">();
  const activated = new Set<number>();
  let isOver = false;
  let lastAt = 0;

  const definitionOf = (index: number) => plan.nodes[index]?.definition as PlanNode;
  const isReleased = (activator: number) =>
    ended.has(activator) || (definitionOf(activator).kind === "parallel" && begun.has(activator));

  function checkMayBegin(index: number, event: Event): void {
    const { dependencies, activators, join } = definitionOf(index);
    check(
      dependencies.every((one) => ended.has(one)),
      event,
      "a dependency is not settled",
    );
    check(activators.every(isReleased), event, "an activator is not settled");
    if (event.type === "node_skipped") return;
    check(activators.length === 0 || activated.has(index), event, "no activator chose it");
    const completed = dependencies.filter((one) => ended.get(one) === "completed").length;
    const needed = join === "all" ? dependencies.length : Math.min(1, dependencies.length);
    check(completed >= needed, event, "it lacks completed dependencies");
  }

  function observeNode(index: number, event: Event): void {
    check(!ended.has(index), event, "the node has ended before");
    const isRetry = event.type === "task_scheduled" && event.attempt > 1;
    if (!begun.has(index) && event.type !== "node_canceled") checkMayBegin(index, event);
    else if (event.type === "task_scheduled") check(isRetry, event, "the node has begun before");
    if (event.type !== "logged" && event.type !== "custom_event_emitted") begun.add(index);
    const definition = definitionOf(index);
    if (event.type === "wait_started" && definition.kind === "parallel")
      for (const branch of definition.branches) activated.add(branch);
    if (event.type === "node_completed") {
      for (const id of event.chosen ?? []) activated.add(plan.indices.get(id) as number);
      if (definition.kind === "parallel") checkBranches(definition, event);
    }
    if (event.type === "task_completed" || event.type === "node_completed") ended.set(index, "completed");
    if (event.type === "node_failed") ended.set(index, "failed");
    if (event.type === "node_skipped") ended.set(index, "skipped");
    if (event.type === "node_canceled") ended.set(index, "canceled");
  }

  function checkBranches(definition: Extract<PlanNode, { kind: "parallel" }>, event: Event): void {
    const isDecided = definition.waitAll
      ? definition.branches.every((branch) => ended.has(branch))
      : definition.branches.some((branch) => ended.get(branch) === "completed");
    check(isDecided, event, "its branches are not decided");
  }

  return {
    observe(event) {
      check(!isOver, event, "the execution is over");
      check(event.at >= lastAt, event, "time went back");
      lastAt = event.at;
      if ("nodeId" in event) observeNode(plan.indices.get(event.nodeId) as number, event);
      isOver =
        event.type === "execution_completed" ||
        event.type === "execution_failed" ||
        event.type === "execution_canceled";
      if (event.type === "execution_completed")
        check(ended.size === plan.nodes.length, event, "not every node has ended");
    },
  };
}

function check(holds: boolean, event: Event, fault: string): void {
  if (!holds) throw new Error(`${JSON.stringify(event)}: ${fault}`);
}
