import { DomainError } from "@heddle/errors";
import { type Chart, type ChartDocument, linkChart } from "@heddle/statechart";

/** @throws DomainError NOT_A_STATE_MACHINE for the plan of a workflow of another type */
export function linkStateMachine(document: ChartDocument): Chart {
  const { type, workflowId }: { type: string; workflowId: string } = document;
  if (type === "state_machine") return linkChart(document);
  throw new DomainError({
    kind: "failed_precondition",
    reason: "NOT_A_STATE_MACHINE",
    message: `${workflowId} is a workflow of type ${type} and no state machine; start it with StartExecution`,
    metadata: { workflow_id: workflowId, type },
  });
}
