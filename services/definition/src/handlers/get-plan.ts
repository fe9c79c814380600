import { create } from "@bufbuild/protobuf";
import { findInnerPlan } from "@heddle/language";
import type { DefinitionPlan } from "@heddle/language";
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
  const { workflowId, innerId } = parsePlanId(request.workflowId);
  // A version that is named also serves when its definition is deleted: executions that run it go on.
  const definition = await findDefinition(context.database, namespace, workflowId, { deleted: request.version !== 0 });
  if (definition === undefined) throw definitionNotFound(namespace, request.workflowId);
  const number = request.version === 0 ? definition.active_version : request.version;
  if (number === request.knownVersion) return create(GetPlanResponseSchema, { version: number });
  const version = await findVersion(context.database, namespace, workflowId, number);
  if (version?.plan_json === undefined) throw versionNotFound(request.workflowId, number, definition.latest_version);
  const planJson = innerId === undefined ? version.plan_json : findInner(version.plan_json, innerId);
  if (planJson === undefined) throw definitionNotFound(namespace, request.workflowId);
  return create(GetPlanResponseSchema, { version: number, planJson });
}

/** `order.scan` is the plan of what the machine `order` invokes as `scan`, or of the body of its map: ids of their own have no dots. */
function parsePlanId(id: string): { workflowId: string; innerId?: string } {
  const dot = id.indexOf(".");
  return dot < 0 ? { workflowId: id } : { workflowId: id.slice(0, dot), innerId: id.slice(dot + 1) };
}

function findInner(planJson: string, innerId: string): string | undefined {
  const plan = findInnerPlan(JSON.parse(planJson) as DefinitionPlan, innerId);
  return plan && JSON.stringify(plan);
}
