import { create } from "@bufbuild/protobuf";
import type { ChartPlan, DefinitionPlan } from "@heddle/language";
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
  const { workflowId, invocationId } = parsePlanId(request.workflowId);
  // A version that is named also serves when its definition is deleted: executions that run it go on.
  const definition = await findDefinition(context.database, namespace, workflowId, { deleted: request.version !== 0 });
  if (definition === undefined) throw definitionNotFound(namespace, request.workflowId);
  const number = request.version === 0 ? definition.active_version : request.version;
  if (number === request.knownVersion) return create(GetPlanResponseSchema, { version: number });
  const version = await findVersion(context.database, namespace, workflowId, number);
  if (version?.plan_json === undefined) throw versionNotFound(request.workflowId, number, definition.latest_version);
  const planJson = invocationId === undefined ? version.plan_json : findInvocationPlan(version.plan_json, invocationId);
  if (planJson === undefined) throw definitionNotFound(namespace, request.workflowId);
  return create(GetPlanResponseSchema, { version: number, planJson });
}

/** `order.scan` is the plan of what the machine `order` invokes as `scan`: ids of their own have no dots. */
function parsePlanId(id: string): { workflowId: string; invocationId?: string } {
  const dot = id.indexOf(".");
  return dot < 0 ? { workflowId: id } : { workflowId: id.slice(0, dot), invocationId: id.slice(dot + 1) };
}

function findInvocationPlan(planJson: string, invocationId: string): string | undefined {
  const { invocationPlans = {} } = JSON.parse(planJson) as DefinitionPlan & Pick<ChartPlan, "invocationPlans">;
  return Object.hasOwn(invocationPlans, invocationId) ? JSON.stringify(invocationPlans[invocationId]) : undefined;
}
