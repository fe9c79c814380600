import { type AfterCause, listAfter } from "./after.ts";
import type { Reuse } from "./commands.ts";
import type { ExecutionState, Write } from "./execution-state.ts";
import { isObject } from "./json-object.ts";
import { standInOf } from "./incident.ts";
import type { JsonObject } from "./json.ts";
import { itemCountsOf } from "./item-counts.ts";
import { countItems, itemAt } from "./map-items.ts";
import { listSucceeded } from "./map-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { createReads } from "./reads.ts";
import { isOwnNode, listUnknown } from "./own-nodes.ts";
import { cannotRerun, nodesUnknown, nothingToRerun } from "./refusals.ts";
import { isSameDefinition } from "./same-definition.ts";
import { isSameJson } from "./same-json.ts";
import { type NodeVerdict, type RunReason, becauseOf } from "./run-again.ts";
import { isSettled } from "./settle.ts";
import type { NodeState } from "./state.ts";
import { OUTSIDE } from "./vars.ts";

/** The execution that is run again. */
export interface RerunSource {
  executionId: string;
  plan: Plan;
  state: ExecutionState;
}

/** What runs instead: the same, another version of the workflow, another input, or both. */
export interface RerunTarget {
  plan: Plan;
  input: JsonObject;
}

/** Where a rerun begins. Several may be asked for; none of them: at the start, and nothing is kept. */
export interface RerunSelection {
  /** These nodes, and everything after them. */
  from: readonly string[];
  /** Nodes that have failed, and maps of which an item has. */
  failed?: boolean;
  /** Nodes that read what differs in the input. */
  changed?: boolean;
}

export interface RerunPlan {
  /** Ids of the nodes with which it begins, in document order; empty: from the start. */
  from: string[];
  /** What is kept, in order, for the command that starts the new execution. */
  reuse: Reuse[];
  /** What becomes of each node of the workflow itself, in document order. */
  nodes: NodeVerdict[];
}

/**
 * What a new execution keeps of an old one: every node that has ended and is neither run again nor after one that is.
 * Nodes that are new in the target's version or defined otherwise there are run again whatever was asked for, and so are steps
 * that the old execution has undone.
 *
 * @throws DomainError NODE_UNKNOWN (metadata.nodes), NOTHING_TO_RERUN (`failed`, and nothing has failed or was left undone)
 */
export function planRerun(source: RerunSource, target: RerunTarget, selection: RerunSelection): RerunPlan {
  const { from, failed = false, changed = false } = selection;
  if (source.state.compensates !== undefined) throw cannotRerun(source.executionId);
  const unknown = listUnknown(target.plan, from);
  if (unknown.length > 0) throw nodesUnknown(unknown);
  const rerun = createRerun(source, target);
  if (from.length === 0 && !failed && !changed) {
    return { from: [], reuse: [], nodes: rerun.nodes.map(({ id }) => ({ nodeId: id, reason: "start" })) };
  }
  const roots = new Map<number, RunReason>(from.map((id) => [target.plan.indices.get(id) as number, "named"]));
  for (const node of rerun.nodes) {
    const reason = rerun.findReason(node, failed);
    if (reason !== undefined && !roots.has(node.index)) roots.set(node.index, reason);
  }
  const again = rerun.after(roots, changed);
  const { kept, nodes } = rerun.judge(roots, again);
  if (failed && rerun.nodes.every(({ index, definition }) => definition.container !== undefined || kept.has(index)))
    throw nothingToRerun(source.executionId);
  return {
    from: [...roots.keys()].sort((a, b) => a - b).map((index) => target.plan.nodes[index]?.id as string),
    reuse: [...rerun.describeNodes(kept), ...rerun.describeItems(kept, roots, again), ...rerun.describeVars(kept)],
    nodes,
  };
}

type Roots = ReadonlyMap<number, RunReason>;
type Again = ReadonlyMap<number, AfterCause | undefined>;

function createRerun({ plan: oldPlan, state }: RerunSource, { plan, input }: RerunTarget) {
  const nodes = plan.nodes.filter((node) => isOwnNode(plan, node));
  const oldIndices = plan.nodes.map(({ id }) => oldPlan.indices.get(id));
  const oldOf = (index: number): NodeState | undefined => {
    const at = oldIndices[index];
    return at === undefined ? undefined : state.nodes[at];
  };
  /** Whether it ran as the fallback of the other. */
  const stoodIn = (owner: number, fallback: number): boolean => {
    const used = oldOf(owner)?.fallback;
    return used !== undefined && used === oldIndices[fallback];
  };
  const isSame = ({ index, definition }: LinkedNode): boolean => {
    const at = oldIndices[index];
    const old = at === undefined ? undefined : oldPlan.nodes[at];
    return old !== undefined && isSameDefinition(plan, definition, oldPlan, old.definition);
  };
  const listAgain = (roots: Roots) =>
    listAfter(
      plan,
      roots.keys(),
      (index, inner) => plan.nodes[inner]?.fallbackOf.includes(index) === true && !stoodIn(index, inner),
    );

  /** Its effect is gone, although its result is there. */
  const isUndone = ({ id }: LinkedNode): boolean => state.undone?.[id] ?? false;
  const hasFailed = ({ index }: LinkedNode): boolean => {
    const old = oldOf(index);
    return old?.status === "failed" || (old !== undefined && (itemCountsOf(old)?.failed ?? 0) > 0);
  };

  return {
    nodes,

    /** Why it runs again whatever else was named. */
    findReason(node: LinkedNode, failed: boolean): RunReason | undefined {
      if (failed && hasFailed(node)) return "failed";
      if (isUndone(node)) return "undone";
      return isSame(node) ? undefined : "redefined";
    },

    /** All that runs again: with `changed` also who reads what differs, and who reads variables that are written again. */
    after(roots: Map<number, RunReason>, changed: boolean): Again {
      if (!changed) return listAgain(roots);
      const reads = createReads(plan);
      const fields = listChanged(state.input, input);
      const addReader = ({ index }: LinkedNode): void => {
        if (!roots.has(index)) roots.set(index, "reads_changed");
      };
      for (const node of nodes) if (fields.size > 0 && reads.ofInput(node, fields)) addReader(node);
      for (;;) {
        const again = listAgain(roots);
        const written = new Set([...again.keys()].flatMap((index) => listWritten(plan.nodes[index] as LinkedNode)));
        const readers = nodes.filter(
          (node) => !again.has(node.index) && written.size > 0 && reads.ofVars(node, written),
        );
        if (readers.length === 0) return again;
        for (const node of readers) addReader(node);
      }
    },

    /** Which nodes are kept, and why the others are not. */
    judge(roots: Roots, again: Again): { kept: Set<number>; nodes: NodeVerdict[] } {
      const known = new Map<number, NodeVerdict>();
      const judgeOne = (index: number): NodeVerdict => {
        const before = known.get(index);
        if (before !== undefined) return before;
        const node = plan.nodes[index] as LinkedNode;
        // Asked again by what it asks itself.
        known.set(index, { nodeId: node.id, reason: "not_ended" });
        const verdict = judgeAgain(node) ?? judgeOther(node);
        known.set(index, verdict);
        return verdict;
      };
      const judgeAgain = (node: LinkedNode): NodeVerdict | undefined => {
        const reason = roots.get(node.index);
        if (reason !== undefined) return { nodeId: node.id, reason };
        const cause = again.get(node.index);
        return cause && becauseOf(plan, node, cause);
      };
      const isKept = (index: number): boolean => judgeOne(index).reason === undefined;
      /** Of one that neither runs again nor is after one that does. */
      const judgeOther = (node: LinkedNode): NodeVerdict => {
        const { index, id, tolerated, branchOf, fallbackOf, definition } = node;
        const at = oldIndices[index];
        if (at === undefined || !isSettled(state, at)) return { nodeId: id, reason: "not_ended" };
        const { status, skipReason } = state.nodes[at] as NodeState;
        const { container } = definition;
        if (container !== undefined) {
          return isKept(container) ? { nodeId: id } : becauseOf(plan, node, { relation: "inside", of: container });
        }
        const owner = fallbackOf.find((one) => stoodIn(one, index) && !isKept(one));
        if (owner !== undefined) return becauseOf(plan, node, { relation: "after", of: owner });
        // Its parallel did not need it. Anything else that was canceled was stopped by the end.
        if (status === "canceled" || skipReason === "not_needed")
          return branchOf.some(isKept) ? { nodeId: id } : { nodeId: id, reason: "not_ended" };
        return status !== "failed" || tolerated ? { nodeId: id } : { nodeId: id, reason: "failed" };
      };
      const verdicts = nodes.map(({ index }) => judgeOne(index));
      return { kept: new Set(nodes.map(({ index }) => index).filter(isKept)), nodes: verdicts };
    },

    describeNodes(kept: ReadonlySet<number>): Reuse[] {
      return [...kept].map((index) => describeNode((plan.nodes[index] as LinkedNode).id, oldPlan, oldOf(index)));
    },

    /** Of maps that run again while nothing before them does. */
    describeItems(kept: ReadonlySet<number>, roots: Roots, again: Again): Reuse[] {
      if (!isSameJson(state.input, input)) return [];
      const isFedAsBefore = (index: number): boolean => {
        const { dependencies, activators } = (plan.nodes[index] as LinkedNode).definition;
        const comesThrough = (activator: number) =>
          kept.has(activator) || (plan.nodes[activator]?.definition.kind === "parallel" && isFedAsBefore(activator));
        return dependencies.every((one) => kept.has(one)) && activators.every(comesThrough);
      };
      return nodes.flatMap((node): Reuse[] => {
        const { index, id, definition } = node;
        const map = oldOf(index)?.map;
        if (map === undefined || kept.has(index) || definition.container !== undefined || !isSame(node)) return [];
        if ((again.has(index) && !roots.has(index)) || !isFedAsBefore(index)) return [];
        const indices = listSucceeded(map);
        // Of a map that came through as a whole there is nothing to make up for: it runs again as a whole.
        if (indices.length === 0 || indices.length === countItems(map.items)) return [];
        const items = indices.map((at) => itemAt(map.items, at));
        const outputs = map.outputs === undefined ? [] : indices.map((at) => map.outputs?.[at] ?? null);
        return [{ type: "items_reused", nodeId: id, indices, items, outputs }];
      });
    },

    describeVars(kept: ReadonlySet<number>): Reuse[] {
      const ids = new Set([...kept].map((index) => plan.nodes[index]?.id));
      const writes = (state.writes ?? deriveWrites(oldPlan, state))
        .map(({ node, fields }) => ({ nodeId: node === OUTSIDE ? "" : (oldPlan.nodes[node] as LinkedNode).id, fields }))
        .filter(({ nodeId }) => nodeId === "" || ids.has(nodeId));
      return writes.length === 0 ? [] : [{ type: "vars_reused", writes }];
    },
  };
}

function describeNode(nodeId: string, plan: Plan, node: NodeState | undefined): Reuse {
  const { status, attempt, output, failure, isHandled, skipReason, chosen } = node as NodeState;
  const standIn = standInOf(node as NodeState);
  const { childId, machineId, worker, startedAt, endedAt } = node as NodeState;
  const itemCounts = itemCountsOf(node as NodeState);
  const idOf = (index: number) => (plan.nodes[index] as LinkedNode).id;
  return {
    type: "node_reused",
    nodeId,
    status: status as "completed" | "failed" | "skipped" | "canceled",
    attempt,
    ...(output !== undefined && { output }),
    ...(failure !== undefined && { failure }),
    ...(isHandled && { isHandled }),
    // One that was stopped needs nobody in its place.
    ...(standIn !== undefined && status !== "canceled" && { fallbackId: idOf(standIn) }),
    ...(skipReason !== undefined && { skipReason }),
    ...(chosen !== undefined && { chosen: chosen.map(idOf) }),
    ...(itemCounts !== undefined && { itemCounts }),
    ...(childId !== undefined && { childId }),
    ...(machineId !== undefined && { machineId }),
    ...(worker !== undefined && { worker }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
  };
}

/** Names of the fields that differ. */
function listChanged(before: JsonObject, after: JsonObject): Set<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return new Set([...names].filter((name) => !isSameJson(before[name], after[name])));
}

function listWritten({ definition }: LinkedNode): string[] {
  return definition.kind === "action" && definition.action === "set" ? Object.keys(definition.params) : [];
}

/** Of a snapshot that does not say: as the actions ended. */
function deriveWrites(plan: Plan, state: ExecutionState): Write[] {
  return plan.nodes
    .filter((node) => isOwnNode(plan, node))
    .flatMap(({ index, definition }): (Write & { endedAt: number })[] => {
      const { status, output, endedAt = 0 } = state.nodes[index] as NodeState;
      const isSet = definition.kind === "action" && definition.action === "set" && status === "completed";
      return isSet && isObject(output ?? null) ? [{ node: index, fields: output as JsonObject, endedAt }] : [];
    })
    .sort((one, other) => one.endedAt - other.endedAt)
    .map(({ node, fields }) => ({ node, fields }));
}
