import type { PlanDocument } from "@heddle/engine";
import { DomainError } from "@heddle/errors";

/**
 * The plan that the definition service has answered with.
 * @throws DomainError NOT_A_DAG for a state machine: it is not this service that runs it
 */
export function readPlan(key: { workflowId: string }, planJson: string): PlanDocument {
  const document = JSON.parse(planJson) as Omit<PlanDocument, "type"> & { type: string };
  if (document.type === "state_machine") throw notADag(key.workflowId);
  return document as PlanDocument;
}

function notADag(workflowId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "NOT_A_DAG",
    message: `${workflowId} is a state machine: it is created, not started; use StateMachineService.CreateMachine, or \`heddle machine create ${workflowId}\``,
    metadata: { workflow_id: workflowId },
  });
}
