import type { PlanDocument } from "@heddle/engine";
import type { DefinitionPlan } from "./plan.ts";

/**
 * The plan of what a part of a definition runs as executions of their own, which are of the workflow
 * `<workflow id>.<inner id>`: of a tool or agent that a machine invokes, or of the body of a map. Bodies of maps inside of
 * such a body are named by all of their ids, with dots between.
 */
export function findInnerPlan(plan: DefinitionPlan, innerId: string): PlanDocument | undefined {
  if (plan.type === "state_machine") return findOwn(plan.invocationPlans, innerId);
  let found: PlanDocument | undefined = plan;
  for (const id of innerId.split(".")) found = findOwn(found?.bodies, id);
  return found;
}

function findOwn(plans: Record<string, PlanDocument> | undefined, id: string): PlanDocument | undefined {
  return plans !== undefined && Object.hasOwn(plans, id) ? plans[id] : undefined;
}
