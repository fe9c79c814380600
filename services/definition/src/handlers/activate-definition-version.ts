import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type ActivateDefinitionVersionRequest,
  type ActivateDefinitionVersionResponse,
  ActivateDefinitionVersionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { definitionNotFound, versionNotFound } from "../domain/errors.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { toDefinition } from "../domain/to-proto.ts";
import { shownOf } from "../domain/compiled.ts";
import { activateVersion } from "../store/activate-version.ts";
import { findDefinition } from "../store/find-definition.ts";
import { findVersion } from "../store/find-version.ts";
import type { DefinitionContext } from "./context.ts";

export async function activateDefinitionVersion(
  context: DefinitionContext,
  request: ActivateDefinitionVersionRequest,
): Promise<ActivateDefinitionVersionResponse> {
  const namespace = namespaceOf(request);
  const { workflowId, version } = request;
  const definition = await findDefinition(context.database, namespace, workflowId);
  if (definition === undefined) throw definitionNotFound(namespace, workflowId);
  // Versions are never deleted, so what is found here is still there in the transaction below.
  const found = await findVersion(context.database, namespace, workflowId, version);
  if (found === undefined) throw versionNotFound(workflowId, version, definition.latest_version);
  if (found.deprecated) {
    throw new DomainError({
      kind: "failed_precondition",
      reason: "VERSION_DEPRECATED",
      message: `version ${version} of ${workflowId} is deprecated; activate another one`,
      metadata: { workflow_id: workflowId, version: String(version) },
    });
  }
  const key = { namespace, workflowId, now: new Date() };
  const activated = await activateVersion(context.database, key, { version, ...shownOf(found) });
  if (activated === undefined) throw definitionNotFound(namespace, workflowId);
  context.wakePublisher();
  return create(ActivateDefinitionVersionResponseSchema, { definition: toDefinition(activated) });
}
