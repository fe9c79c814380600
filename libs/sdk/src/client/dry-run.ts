import {
  type DryRun as DryRunMessage,
  type NodeDryRun as NodeMessage,
  RunReasonSchema,
} from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { NodeStatusSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { NodeStatus } from "./execution.ts";
import { enumName } from "./plain.ts";

/** Why a node would run again. */
export type RunReason =
  | "start"
  | "named"
  | "failed"
  | "undone"
  | "redefined"
  | "reads_changed"
  | "not_ended"
  | "after"
  | "inside"
  | "awaits";

/** What a rerun or a reset would come to. */
export interface DryRun {
  /** In document order. */
  nodes: NodeDryRun[];
  /** Of a rerun: where it would begin; empty: at the start. */
  from: string[];
  /** Of a rerun. */
  version?: number;
  /** Of a rerun: names of the variables that are taken over. */
  keptVars: string[];
}

export interface NodeDryRun {
  nodeId: string;
  /** Absent: its result is kept. */
  reason?: RunReason;
  /** Of `after`, `inside` and `awaits`: the other node. */
  becauseOf?: string;
  /** Where it stands now; absent when the execution has no such node. */
  status?: NodeStatus;
  /** It would begin, or end, in the same moment. */
  beginsAtOnce: boolean;
  /** Of a reset: attempt that would be taken back from its worker. */
  stoppedAttempt?: number;
  /** Of a reset: sub-workflows and items that would be told to end, at most 100. */
  stoppedChildIds: string[];
  stoppedMachineId?: string;
  /** Of a map that has begun. */
  items?: { count: number; kept: number; stopped: number };
  /** Completed runs of it that are on record to be undone when the execution fails. */
  recordedCompensations: number;
}

export function plainDryRun({ nodes, fromNodeIds, version, keptVars }: DryRunMessage): DryRun {
  return { nodes: nodes.map(plainNode), from: fromNodeIds, ...(version !== 0 && { version }), keptVars };
}

function plainNode(node: NodeMessage): NodeDryRun {
  const { nodeId, reason, becauseOfNodeId, status, beginsAtOnce, stoppedAttempt, stoppedMachineId, items } = node;
  return {
    nodeId,
    ...(reason !== 0 && { reason: enumName<RunReason>(RunReasonSchema, reason) }),
    ...(becauseOfNodeId !== "" && { becauseOf: becauseOfNodeId }),
    ...(status !== 0 && { status: enumName<NodeStatus>(NodeStatusSchema, status) }),
    beginsAtOnce,
    ...(stoppedAttempt !== 0 && { stoppedAttempt }),
    stoppedChildIds: node.stoppedChildIds,
    ...(stoppedMachineId !== "" && { stoppedMachineId }),
    ...(items !== undefined && { items: { count: items.count, kept: items.kept, stopped: items.stopped } }),
    recordedCompensations: node.recordedCompensations,
  };
}
