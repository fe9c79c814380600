import type { ExecutionPlan } from "../workload/plan-executions.ts";
import { UNATTENDED } from "../workload/predict.ts";
import type { Program } from "../workload/program.ts";

/** A chain of dispatched steps, of which the first is the one that every program begins with. */
export function chainProgram(workflowId: string, steps: number): Program {
  return { workflowId, salt: 1, stages: Array.from({ length: steps - 1 }, (_, index) => ({ kind: "add", by: index })) };
}

/** Starts of one program and nothing else: no signals, suspensions or cancels. */
export function plainPlans(program: Program, count: number, run: string): ExecutionPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    requestId: `${run}-${index}`,
    workflowId: program.workflowId,
    n: index,
    isStartedTwice: false,
    ...UNATTENDED,
  }));
}
