import { create } from "@bufbuild/protobuf";
import {
  type GetDefinitionRequest,
  type GetDefinitionResponse,
  GetDefinitionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { definitionNotFound, versionNotFound } from "../domain/errors.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { toDefinition, toVersion } from "../domain/to-proto.ts";
import { findDefinition } from "../store/find-definition.ts";
import { findVersion } from "../store/find-version.ts";
import type { DefinitionContext } from "./context.ts";

export async function getDefinition(
  context: DefinitionContext,
  request: GetDefinitionRequest,
): Promise<GetDefinitionResponse> {
  const namespace = namespaceOf(request);
  const definition = await findDefinition(context.database, namespace, request.workflowId);
  if (definition === undefined) throw definitionNotFound(namespace, request.workflowId);
  const number = request.version === 0 ? definition.active_version : request.version;
  const version = await findVersion(context.database, namespace, request.workflowId, number);
  if (version === undefined) throw versionNotFound(request.workflowId, number, definition.latest_version);
  return create(GetDefinitionResponseSchema, {
    definition: toDefinition(definition),
    version: toVersion(version, definition.active_version),
  });
}
