import { create } from "@bufbuild/protobuf";
import {
  type GetPlanRequest,
  type GetPlanResponse,
  GetPlanResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { definitionNotFound, versionNotFound } from "../domain/errors.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { findDefinition } from "../store/find-definition.ts";
import { findVersion } from "../store/find-version.ts";
import type { DefinitionContext } from "./context.ts";

export async function getPlan(context: DefinitionContext, request: GetPlanRequest): Promise<GetPlanResponse> {
  const namespace = namespaceOf(request);
  // A version that is named also serves when its definition is deleted: executions that run it go on.
  const definition = await findDefinition(context.database, namespace, request.workflowId, {
    deleted: request.version !== 0,
  });
  if (definition === undefined) throw definitionNotFound(namespace, request.workflowId);
  const number = request.version === 0 ? definition.active_version : request.version;
  if (number === request.knownVersion) return create(GetPlanResponseSchema, { version: number });
  const version = await findVersion(context.database, namespace, request.workflowId, number);
  if (version?.plan_json === undefined) throw versionNotFound(request.workflowId, number, definition.latest_version);
  return create(GetPlanResponseSchema, { version: number, planJson: version.plan_json });
}
