import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { compileDefinition } from "@heddle/language";
import { DefinitionService, GetPlanResponseSchema } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import type { Routes } from "@heddle/rpc";

/** A definition service that has the first version of each of these sources. */
export function serveDefinitions(sources: readonly string[]): Routes {
  const plans = new Map<string, string>();
  for (const source of sources) {
    const { plan, findings } = compileDefinition(source);
    if (plan === undefined) throw new Error(`bad definition: ${JSON.stringify(findings)}`);
    plans.set(plan.workflowId, JSON.stringify(plan));
  }
  return (router) =>
    router.service(DefinitionService, {
      getPlan({ workflowId, knownVersion }) {
        const planJson = plans.get(workflowId);
        if (planJson === undefined) {
          throw new DomainError({ kind: "not_found", reason: "DEFINITION_NOT_FOUND", message: "no such definition" });
        }
        return create(GetPlanResponseSchema, { version: 1, planJson: knownVersion === 1 ? "" : planJson });
      },
    });
}
