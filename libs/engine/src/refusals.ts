import { DomainError } from "@heddle/errors";
import type { ExecutionStatus, NodeState } from "./state.ts";

// Every way in which the core says no. `decide` throws these before it changes anything.

export function executionNotFound(executionId: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "EXECUTION_NOT_FOUND",
    message: `execution ${executionId} has not been started`,
    metadata: { execution_id: executionId },
  });
}

export function executionAlreadyStarted(executionId: string): DomainError {
  return new DomainError({
    kind: "already_exists",
    reason: "EXECUTION_ALREADY_STARTED",
    message: `execution ${executionId} has been started before; use another id for another execution`,
    metadata: { execution_id: executionId },
  });
}

export function executionFinished(executionId: string, status: ExecutionStatus, action: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "EXECUTION_FINISHED",
    message: `cannot ${action} execution ${executionId}: it has ${status === "canceled" ? "been canceled" : status}`,
    metadata: { execution_id: executionId, status },
  });
}

export function nodesUnknown(ids: readonly string[]): DomainError {
  const fault = ids.length === 0 ? "at least one node must be named" : `there is no node ${ids.join(", ")}`;
  return new DomainError({
    kind: "invalid_argument",
    reason: "NODE_UNKNOWN",
    message: `${fault}; GetExecution lists the nodes`,
    metadata: { nodes: ids.join(",") },
    violations: [{ field: "from_node_ids", description: fault }],
  });
}

export function cannotRerun(executionId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "NOTHING_TO_RERUN",
    message: `execution ${executionId} undoes the steps of another one, and has none of its own`,
    metadata: { execution_id: executionId },
  });
}

export function nothingToRerun(executionId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "NOTHING_TO_RERUN",
    message: `nothing in execution ${executionId} has failed or was left undone; name the nodes to run again, or run it from the start`,
    metadata: { execution_id: executionId },
  });
}

export function executionEnding(executionId: string, action: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "EXECUTION_FINISHED",
    message: `cannot ${action} execution ${executionId}: its end is decided, and what it does before is under way`,
    metadata: { execution_id: executionId, status: "ending" },
  });
}

export function executionFailureHandled(executionId: string, action: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "EXECUTION_FINISHED",
    message: `cannot ${action} execution ${executionId}: it was to fail, and what its definition has for that is under way; run it again when it has ended`,
    metadata: { execution_id: executionId, status: "ending" },
  });
}

export function executionNotSuspended(executionId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "EXECUTION_NOT_SUSPENDED",
    message: `cannot resume execution ${executionId}: it is running`,
    metadata: { execution_id: executionId },
  });
}

/** A result that is late, repeated, or for something that never ran. The sender drops it. */
export function taskNotRunning(nodeId: string, attempt: number, node: NodeState | undefined): DomainError {
  const found = node === undefined ? "there is no such node" : `the node is ${node.status} at attempt ${node.attempt}`;
  return new DomainError({
    kind: "aborted",
    reason: "TASK_NOT_RUNNING",
    message: `attempt ${attempt} of node ${nodeId} is not running: ${found}; drop the result`,
    metadata: { node: nodeId, attempt: String(attempt), ...(node && { status: node.status }) },
  });
}

export function childNotAwaited(nodeId: string, childId: string): DomainError {
  return new DomainError({
    kind: "aborted",
    reason: "CHILD_NOT_AWAITED",
    message: `node ${nodeId} does not wait for child ${childId}; drop the result`,
    metadata: { node: nodeId, child_id: childId },
  });
}

export function incidentNotOpen(nodeId: string, node: NodeState | undefined): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "INCIDENT_NOT_OPEN",
    message: `node ${nodeId} waits with no incident: ${node === undefined ? "there is no such node" : `it is ${node.status}`}`,
    metadata: { node: nodeId, ...(node && { status: node.status }) },
  });
}

export function incidentReplaced(nodeId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "INCIDENT_NOT_OPEN",
    message: `the incident of node ${nodeId} that is meant was resolved, and the node has failed again since: look at the new failure first`,
    metadata: { node: nodeId },
  });
}

export function resolutionNotPossible(nodeId: string, why: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "RESOLUTION_NOT_POSSIBLE",
    message: `node ${nodeId}: ${why}`,
    metadata: { node: nodeId },
  });
}

export function machineNotAwaited(nodeId: string, machineId: string | undefined): DomainError {
  return new DomainError({
    kind: "aborted",
    reason: "MACHINE_NOT_AWAITED",
    message: `node ${nodeId} does not wait for ${machineId === undefined ? "a machine" : `machine ${machineId}`}; drop the result`,
    metadata: { node: nodeId, ...(machineId !== undefined && { machine_id: machineId }) },
  });
}

export function eventNotAwaited(nodeId: string, eventId: string): DomainError {
  return new DomainError({
    kind: "aborted",
    reason: "EVENT_NOT_AWAITED",
    message: `node ${nodeId} does not wait for event ${eventId}, or does not any more; drop it`,
    metadata: { node: nodeId, event: eventId },
  });
}

export function limitReached(executionId: string, what: string): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "EXECUTION_LIMIT_REACHED",
    message: `execution ${executionId} ${what}`,
    metadata: { execution_id: executionId },
  });
}

export function updateUnknown(workflowId: string, name: string, known: readonly string[]): DomainError {
  const has = known.length === 0 ? "it declares none" : `it has: ${known.join(", ")}`;
  return new DomainError({
    kind: "not_found",
    reason: "UPDATE_UNKNOWN",
    message: `workflow ${workflowId} has no update "${name}"; ${has}`,
    metadata: { workflow_id: workflowId, update: name },
  });
}

/** The definition's own words, or the core's when they cannot be had. */
export function updateRejected(name: string, why: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "UPDATE_REJECTED",
    message: `update ${name} is refused, and nothing has changed: ${why}`,
    metadata: { update: name },
  });
}

export function requestIdReused(requestId: string, before: string, now: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${requestId} was used for update ${before}; use a new one for update ${now}`,
    metadata: { request_id: requestId },
  });
}

export function queryUnknown(workflowId: string, name: string, known: readonly string[]): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "QUERY_UNKNOWN",
    message: `workflow ${workflowId} has no query "${name}"; it has: ${known.join(", ")}`,
    metadata: { workflow_id: workflowId, query: name },
  });
}

export function queryFailed(name: string, why: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "QUERY_FAILED",
    message: `query ${name} cannot be answered as the execution stands now: ${why}`,
    metadata: { query: name },
  });
}

export function payloadTooLarge(what: string, fault: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "PAYLOAD_TOO_LARGE",
    message: `${what} ${fault}`,
    violations: [{ field: what, description: fault }],
  });
}

export function planFormatUnknown(format: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "PLAN_FORMAT_UNKNOWN",
    message: `this process does not know the plan format ${format}; it is older than the one that published the plan: update it`,
    metadata: { format },
  });
}

/** The history and the plan do not belong together, or a snapshot is not one. */
export function replayDiverged(message: string): DomainError {
  return new DomainError({ kind: "failed_precondition", reason: "REPLAY_DIVERGED", message });
}
