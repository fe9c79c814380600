import { DomainError } from "@heddle/errors";
import { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";

export function definitionNotFound(namespace: string, workflowId: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "DEFINITION_NOT_FOUND",
    message: `namespace ${namespace} has no definition ${workflowId}; publish it first, or list what there is with ListDefinitions`,
    metadata: { namespace, workflow_id: workflowId },
  });
}

export function versionNotFound(workflowId: string, version: number, latestVersion: number): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "VERSION_NOT_FOUND",
    message: `${workflowId} has no version ${version}; its newest is ${latestVersion}`,
    metadata: { workflow_id: workflowId, version: String(version), latest_version: String(latestVersion) },
  });
}

export function requestIdReused(requestId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${requestId} was used to publish another workflow or another text; use a new request id for a new publish`,
    metadata: { request_id: requestId },
  });
}

export function typeChanged(
  definition: { workflow_id: string; type: DefinitionType },
  type: DefinitionType,
): DomainError {
  const { workflow_id: workflowId, type: before } = definition;
  return new DomainError({
    kind: "failed_precondition",
    reason: "TYPE_CHANGED",
    message: `${workflowId} is ${TYPE_NAMES[before]}, and stays one: publish ${TYPE_NAMES[type]} under another workflow id`,
    metadata: { workflow_id: workflowId },
  });
}

const TYPE_NAMES: Record<DefinitionType, string> = {
  [DefinitionType.UNSPECIFIED]: "of an unknown type",
  [DefinitionType.DAG]: "a workflow of nodes",
  [DefinitionType.STATE_MACHINE]: "a state machine",
};
