import type { Execution } from "@heddle/sdk";
import { programKey, type RunRecord } from "../record/run-record.ts";
import { type Child, predict, type Outcome } from "../workload/predict.ts";
import { signalsOf } from "../workload/program.ts";
import type { Check } from "./check.ts";
import { eventsOf } from "./history.ts";

export const resultsRight: Check = {
  id: "results-right",
  promise: "model",
  claim: "executions ended as the model says",
  run(record, look) {
    const plans = new Map(record.plans.map((plan) => [plan.requestId, plan]));
    for (const execution of record.executions.values()) {
      const values = plans.get(execution.requestId)?.signals.map(({ value }) => value) ?? [];
      const outcome = predictFor(record, execution, values);
      look(outcome === undefined ? undefined : judge(record, execution, outcome));
    }
  },
};

export const poisonContained: Check = {
  id: "poison-contained",
  promise: 7,
  claim: "poisoned executions failed, and no others by an expression",
  run({ executions, programs }, look) {
    for (const { executionId, workflowId, version, failure, status } of executions.values()) {
      const stages = programs.get(programKey(workflowId, version))?.stages ?? [];
      const isPoisoned = stages.some(({ kind }) => kind === "poison");
      const failedByIt = failure?.type === "expression";
      if (!isPoisoned && !failedByIt) continue;
      const isRight = isPoisoned && (failedByIt || status === "canceled");
      look(isRight ? undefined : `${executionId} (${workflowId}) is ${status}: ${failure?.type ?? "no failure"}`);
    }
  },
};

export const versionsKept: Check = {
  id: "versions-kept",
  promise: 8,
  claim: "executions kept the version that they were started with",
  run({ executions, histories, programs }, look) {
    for (const [id, { workflowId, version }] of executions) {
      const started = eventsOf(histories.get(id) ?? [], "executionStarted")[0]?.value;
      if (!programs.has(programKey(workflowId, version))) look(`${id} runs ${workflowId} v${version}: never published`);
      else
        look(started?.version === version ? undefined : `${id} began with v${started?.version}, and has v${version}`);
    }
  },
};

/** Undefined when the program is not known; `versions-kept` says so then. */
function predictFor(record: RunRecord, execution: Execution, signals: readonly number[]): Outcome | undefined {
  const program = record.programs.get(programKey(execution.workflowId, execution.version));
  if (program === undefined) return undefined;
  const n = Number(execution.input?.["n"]);
  // More than it takes would be kept for ever; the driver sends as many as it takes.
  const taken = signals.slice(0, signalsOf(program));
  return predict(program, n, { signals: taken, childOf: childrenOf(record, execution.executionId) });
}

/** What the sub-workflows of an execution run, by the node that waits for them. */
function childrenOf(record: RunRecord, executionId: string): (nodeId: string) => Child {
  const started = eventsOf(record.histories.get(executionId) ?? [], "childStarted");
  const ids = new Map(started.map(({ value }) => [value.nodeId, value.childId]));
  return (nodeId) => {
    const id = ids.get(nodeId) ?? "";
    const child = record.executions.get(id);
    const program = child && record.programs.get(programKey(child.workflowId, child.version));
    // It did not come so far, or another check says that the child is missing: no number is right then.
    return { program: program ?? { workflowId: "", salt: Number.NaN, stages: [] }, childOf: childrenOf(record, id) };
  };
}

function judge(record: RunRecord, execution: Execution, outcome: Outcome): string | undefined {
  const { executionId: id, workflowId, version, status, output, failure } = execution;
  if (status === "canceled") return isCancelable(record, execution) ? undefined : `${id} is canceled, by nobody`;
  const isRight =
    outcome.status === "completed"
      ? status === "completed" && output === outcome.output
      : outcome.status === "failed" && status === "failed" && failure?.type === outcome.failureType;
  if (isRight) return undefined;
  const found = status === "failed" ? `${failure?.type}: ${failure?.message}` : JSON.stringify(output);
  return `${id} (${workflowId} v${version}) is ${status} with ${found}; the model says ${JSON.stringify(outcome)}`;
}

/** Whether somebody asked to cancel it, or one of those above it ended before it did. */
function isCancelable(record: RunRecord, { executionId, parent }: Execution): boolean {
  if (record.cancels.get(executionId) === "canceled") return true;
  const above = parent && record.executions.get(parent.executionId);
  return above !== undefined && (above.status === "canceled" || above.status === "failed");
}
