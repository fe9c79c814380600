import type { CompensationRecord, Event, Plan } from "../../src/index.ts";

const SUFFIX = ".compensate";

/**
 * The rules of endings, told a second time and from events alone: what has completed and can be undone is kept at once, steps
 * are undone one by one, the last one first, after everything else has stopped, and the group at the end comes after that.
 * `observe` throws at the first event that breaks one.
 */
export function createEndingModel(plan: Plan): { observe(event: Event): void } {
  const records: CompensationRecord[] = [];
  const lastGroup = plan.document.nodes.find((node) => node.kind === "group" && node.isFinally);
  const active = new Set<string>();
  const fallbacks = new Set<string>();
  let ending: Extract<Event, { type: "execution_ending" }> | undefined;
  /** The step whose completion must be kept with the next event. */
  let completed: string | undefined;
  let undoing: string | undefined;
  let hasFailed = false;
  let hasLastBegun = false;
  let compensates = false;

  const isInLastGroup = (nodeId: string): boolean => {
    let at = plan.document.nodes[plan.indices.get(nodeId) as number];
    while (at?.container !== undefined) at = plan.document.nodes[at.container];
    return at !== undefined && at === lastGroup;
  };
  const mustUndo = () =>
    compensates || ending?.end.outcome === "failed"
      ? true
      : ending?.end.outcome === "canceled" && plan.document.compensation?.onCancel !== false;
  const isStopped = () => hasFailed && plan.document.compensation?.onFailure !== "continue";

  function observeStep(event: Extract<Event, { nodeId: string }>): void {
    const { nodeId } = event;
    if (event.type === "error_handled" && event.outcome.action === "fallback") fallbacks.add(nodeId);
    if (event.type === "turn_started") for (const id of bodyOf(nodeId)) fallbacks.delete(id);
    const isEnd = ["task_completed", "node_completed", "node_failed", "node_skipped", "node_canceled"].includes(
      event.type,
    );
    if (
      isEnd ||
      // Whatever it was resolved to: one that is to run again waits for its turn, for long when the execution is suspended.
      event.type === "incident_resolved" ||
      (event.type === "error_handled" && (event.outcome.action === "skip" || event.outcome.action === "continue"))
    )
      active.delete(nodeId);
    else if (["task_scheduled", "wait_started", "child_started", "machine_requested"].includes(event.type))
      active.add(nodeId);
    const step = plan.document.nodes[plan.indices.get(nodeId) as number];
    const isCompletion = event.type === "task_completed" || event.type === "node_completed";
    if (
      isCompletion &&
      step?.compensate !== undefined &&
      ending === undefined &&
      !compensates &&
      !fallbacks.has(nodeId)
    )
      completed = nodeId;
  }

  const bodyOf = (nodeId: string) =>
    (plan.nodes[plan.indices.get(nodeId) as number]?.body?.inside ?? []).map(
      (index) => plan.nodes[index]?.id as string,
    );

  function observeEndingStep(event: Extract<Event, { nodeId: string }>): void {
    const { nodeId } = event;
    if (nodeId.endsWith(SUFFIX)) {
      check(nodeId === undoing, event, "it is not the turn of this step");
      if (event.type === "node_failed") hasFailed = true;
      if (["task_completed", "node_completed", "node_failed"].includes(event.type)) undoing = undefined;
      if (event.type === "node_canceled") undoing = undefined;
    } else if (isInLastGroup(nodeId)) {
      check(active.size === 0, event, "something of the workflow is still under way");
      check(undoing === undefined, event, "a step is being undone");
      check(records.length === 0 || !mustUndo() || isStopped(), event, "there are steps to undo");
      hasLastBegun = true;
    } else {
      const isOfStopping = ["node_canceled", "item_ended", "child_ended", "compensation_recorded"].includes(event.type);
      check(isOfStopping, event, "the workflow goes on although it is to end");
      if (event.type === "node_canceled") active.delete(nodeId);
    }
  }

  return {
    observe(event) {
      if (completed !== undefined) {
        check(event.type === "compensation_recorded" && event.nodeId === completed, event, `${completed} is not kept`);
        completed = undefined;
      }
      switch (event.type) {
        case "execution_started":
          compensates = event.compensates !== undefined;
          records.push(...(event.compensates?.records ?? []));
          return;
        case "execution_ending":
          check(ending === undefined, event, "it is to end already");
          ending = event;
          return;
        case "compensation_recorded":
          records.push(event);
          return;
        case "compensation_started":
          check(ending !== undefined || compensates, event, "the execution goes on");
          check(mustUndo() && !isStopped(), event, "nothing is to be undone");
          check(active.size === 0 && undoing === undefined && !hasLastBegun, event, "something else is under way");
          check(records.pop()?.nodeId + SUFFIX === event.nodeId, event, "it is not the step that completed last");
          undoing = event.nodeId;
          return;
        case "execution_completed":
        case "execution_failed":
        case "execution_canceled":
          return observeEnd(event);
        default:
          if (!("nodeId" in event)) return;
          if (ending === undefined && !compensates) observeStep(event);
          else observeEndingStep(event);
      }
    },
  };

  function observeEnd(event: Event): void {
    if (event.type === "execution_canceled" && event.terminated) return;
    if (event.type === "execution_failed" && event.failure.type === "cleanup_timeout") return;
    const isLeft = records.length > 0 && (event.type === "execution_failed" || ending !== undefined) && mustUndo();
    check(!isLeft || isStopped(), event, "there are steps to undo");
    check(undoing === undefined, event, "a step is being undone");
    const isCut = ending?.dueAt !== undefined && ending.dueAt <= event.at;
    check(isCut || lastGroup === undefined || compensates || hasLastBegun, event, "the group at the end has not run");
  }
}

function check(holds: boolean, event: Event, fault: string): void {
  if (!holds) throw new Error(`${JSON.stringify(event)}: ${fault}`);
}
