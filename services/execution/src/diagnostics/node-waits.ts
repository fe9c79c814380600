import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { humanTaskId, isIncident, type LinkedNode, type NodeState } from "@heddle/engine";
import { type NodeWait, NodeWaitSchema } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import type { Execution } from "../domain/aggregate.ts";
import { taskIdOf } from "../link/task-messages.ts";

/** What each node that is under way waits for. */
export function describeWaits(id: string, { plan, state }: Execution, isOpen: (taskId: string) => boolean): NodeWait[] {
  // Before steps are undone, children that were told to end must have ended.
  const stopping = Object.entries(state.ending?.awaited ?? {}).map(([childExecutionId, nodeId]) =>
    create(NodeWaitSchema, { nodeId, childExecutionId }),
  );
  const waits = plan.nodes.flatMap((linked) => {
    const node = state.nodes[linked.index];
    if (node === undefined || !isActive(node)) return [];
    const items = (node.map?.active ?? []).map(({ childId }) =>
      create(NodeWaitSchema, { nodeId: linked.id, childExecutionId: childId }),
    );
    return items.length > 0 ? items : [describeWait(id, linked, node, isOpen)];
  });
  return [...stopping, ...waits];
}

/** Whether the node is under way. */
export function isActive(node: NodeState | undefined): boolean {
  const status = node?.status;
  return status === "scheduled" || status === "backing_off" || status === "waiting";
}

function describeWait(
  executionId: string,
  linked: LinkedNode,
  node: NodeState,
  isOpen: (taskId: string) => boolean,
): NodeWait {
  const wait = create(NodeWaitSchema, { nodeId: linked.id });
  if (node.status === "scheduled") {
    wait.taskId = taskIdOf(executionId, linked.id, node.attempt);
    wait.taskOpen = isOpen(wait.taskId);
    return wait;
  }
  if (node.dueAt !== undefined) wait.dueAt = timestampFromMs(node.dueAt);
  if (isIncident(node)) {
    wait.incident = true;
    return wait;
  }
  if (node.fallback !== undefined) {
    // Another node runs in its place: what it has waited for itself does not come any more.
    wait.branches = true;
    return wait;
  }
  if (node.signal !== undefined) wait.signal = node.signal;
  if (node.event !== undefined) wait.event = node.event;
  if (node.signalKey !== undefined) wait.signalKey = node.signalKey;
  if (node.childId !== undefined) wait.childExecutionId = node.childId;
  if (linked.definition.kind === "human" && node.fallback === undefined) {
    wait.humanTaskId = humanTaskId(executionId, linked.id, node);
  }
  wait.machine = linked.definition.kind === "state_machine";
  // Other nodes of the same execution: branches, a body, or maps of which as many items run as may.
  wait.branches = linked.definition.kind === "parallel" || linked.body !== undefined || node.map?.isHeld === true;
  return wait;
}
