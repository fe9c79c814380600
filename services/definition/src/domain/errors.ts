import { DomainError } from "@heddle/errors";

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
