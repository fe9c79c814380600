import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { NodeForecast, RunReason as EngineReason } from "@heddle/engine";
import {
  type DryRun,
  DryRunSchema,
  type NodeDryRunSchema,
  RunReason,
} from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { toNodeStatus } from "./to-proto.ts";

const REASON: Record<EngineReason, RunReason> = {
  start: RunReason.START,
  named: RunReason.NAMED,
  failed: RunReason.FAILED,
  undone: RunReason.UNDONE,
  redefined: RunReason.REDEFINED,
  reads_changed: RunReason.READS_CHANGED,
  not_ended: RunReason.NOT_ENDED,
  after: RunReason.AFTER,
  inside: RunReason.INSIDE,
  awaits: RunReason.AWAITS,
};

/** Children of one node that are named: for people, who must not wait for 10,000 of them. */
const MAX_NAMED_CHILDREN = 100;

export function toDryRun(
  nodes: readonly NodeForecast[],
  rerun: { fromNodeIds?: string[]; version?: number; keptVars?: string[] } = {},
): DryRun {
  return create(DryRunSchema, { nodes: nodes.map(toNodeDryRun), ...rerun });
}

function toNodeDryRun(node: NodeForecast): MessageInitShape<typeof NodeDryRunSchema> {
  return {
    nodeId: node.nodeId,
    reason: node.reason === undefined ? RunReason.UNSPECIFIED : REASON[node.reason],
    becauseOfNodeId: node.becauseOf,
    status: node.status === undefined ? NodeStatus.UNSPECIFIED : toNodeStatus(node.status),
    beginsAtOnce: node.beginsAtOnce,
    stoppedAttempt: node.stoppedAttempt,
    stoppedChildIds: node.stoppedChildIds.slice(0, MAX_NAMED_CHILDREN),
    stoppedMachineId: node.stoppedMachineId,
    items: node.items,
    recordedCompensations: node.recordedCompensations,
  };
}
