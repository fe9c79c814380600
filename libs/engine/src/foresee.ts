import type { Command } from "./commands.ts";
import { decide } from "./decide.ts";
import type { ExecutionState } from "./execution-state.ts";
import { countItems } from "./map-items.ts";
import { type ObligationChanges, itemNodeId, obligationsOf } from "./obligations.ts";
import type { DecideContext, LinkedNode, Plan } from "./plan.ts";
import type { RerunPlan, RerunSource } from "./rerun.ts";
import { describeReset } from "./reset.ts";
import type { NodeVerdict } from "./run-again.ts";
import { decodeState, encodeState } from "./snapshot.ts";
import type { NodeState, NodeStatus } from "./state.ts";

// Dry runs: the command is decided, on a copy, and what it gives is only looked at. So whatever would refuse it refuses this.

export interface NodeForecast extends NodeVerdict {
  /** Where it stands in the execution as it is; absent when that has no such node. */
  status?: NodeStatus;
  /** It would begin, or end, in the same turn. */
  beginsAtOnce: boolean;
  /** Of its task, taken back from its worker. */
  stoppedAttempt?: number;
  /** Sub-workflows and items that would be told to end. */
  stoppedChildIds: string[];
  stoppedMachineId?: string;
  /** Of a map that has begun. */
  items?: ItemsForecast;
  /** Completed runs of it that are to be undone when the execution fails. */
  recordedCompensations: number;
}

export interface ItemsForecast {
  count: number;
  kept: number;
  stopped: number;
}

type StartCommand = Extract<Command, { type: "start" }>;
type ResetCommand = Extract<Command, { type: "reset" }>;

/** What becomes of each node when this start runs an execution again. @throws DomainError as `decide` */
export function foreseeRerun(
  { plan: oldPlan, state }: RerunSource,
  { plan, start, rerun }: { plan: Plan; start: StartCommand; rerun: RerunPlan },
  context: DecideContext,
): NodeForecast[] {
  const { state: after } = decide(plan, undefined, start, context);
  const keptItems = new Map(
    rerun.reuse.flatMap((reuse) => (reuse.type === "items_reused" ? [[reuse.nodeId, reuse.indices.length]] : [])),
  );
  return rerun.nodes.map((verdict) => {
    const index = oldPlan.indices.get(verdict.nodeId);
    const old = index === undefined ? undefined : state.nodes[index];
    return {
      ...verdict,
      ...describeNow(state, verdict, old, keptItems.get(verdict.nodeId) ?? 0),
      beginsAtOnce: begins(plan, after, verdict),
    };
  });
}

/** What becomes of each node by this reset, of the nodes of the workflow itself. @throws DomainError as `decide` */
export function foreseeReset(
  plan: Plan,
  state: ExecutionState,
  command: ResetCommand,
  context: DecideContext,
): NodeForecast[] {
  const { state: after, events } = decide(plan, decodeState(encodeState(state)), command, context);
  const changes = obligationsOf(plan, after, events, context.executionId);
  const isRepeated = !events.some(({ type }) => type === "execution_reset");
  return describeReset(plan, state, isRepeated ? [] : command.from).map((verdict) => {
    const node = state.nodes[plan.indices.get(verdict.nodeId) as number] as NodeState;
    return {
      ...verdict,
      ...describeNow(state, verdict, node, 0),
      ...describeStopped(verdict.nodeId, node, changes),
      beginsAtOnce: begins(plan, after, verdict),
    };
  });
}

function describeNow(
  { compensations = [] }: ExecutionState,
  { nodeId, reason }: NodeVerdict,
  node: NodeState | undefined,
  keptItems: number,
): Omit<NodeForecast, "nodeId" | "beginsAtOnce"> {
  const map = node?.map;
  return {
    ...(node !== undefined && { status: node.status }),
    stoppedChildIds: [],
    ...(map !== undefined && {
      items: { count: countItems(map.items), kept: reason === undefined ? map.succeeded : keptItems, stopped: 0 },
    }),
    recordedCompensations: compensations.filter((record) => record.nodeId === nodeId).length,
  };
}

function describeStopped(
  nodeId: string,
  { map, status }: NodeState,
  { cancelTasks, cancelChildren, cancelMachines }: ObligationChanges,
): Partial<NodeForecast> {
  const attempt = cancelTasks.find((task) => task.nodeId === nodeId)?.attempt;
  const machineId = cancelMachines.find((machine) => machine.nodeId === nodeId)?.machineId;
  const items = new Set(map?.active.map(({ index }) => itemNodeId(nodeId, index)));
  const children = cancelChildren.filter((child) => child.nodeId === nodeId || items.has(child.nodeId));
  return {
    ...(attempt !== undefined && { stoppedAttempt: attempt }),
    ...(machineId !== undefined && { stoppedMachineId: machineId }),
    stoppedChildIds: children.map(({ childId }) => childId),
    ...(map !== undefined &&
      children.length > 0 &&
      status === "waiting" && { items: { count: countItems(map.items), kept: 0, stopped: children.length } }),
  };
}

function begins(plan: Plan, { nodes }: ExecutionState, { nodeId, reason }: NodeVerdict): boolean {
  const { index } = plan.nodes[plan.indices.get(nodeId) as number] as LinkedNode;
  const { status } = nodes[index] as NodeState;
  return reason !== undefined && status !== "pending" && status !== "skipped";
}
