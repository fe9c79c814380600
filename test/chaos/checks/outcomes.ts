import type { Execution } from "@heddle/sdk";
import { programKey, type RunRecord } from "../record/run-record.ts";
import { type Child, predict, type Outcome } from "../workload/predict.ts";
import type { ExecutionPlan } from "../workload/plan-executions.ts";
import { mapOf, nodeOf, type ParentClose, racerOf, signalsOf } from "../workload/program.ts";
import type { Check } from "./check.ts";
import { eventsOf } from "./history.ts";

export const resultsRight: Check = {
  id: "results-right",
  promise: "model",
  claim: "executions ended as the model says",
  run(record, look) {
    const plans = new Map(record.plans.map((plan) => [plan.requestId, plan]));
    for (const execution of record.executions.values()) {
      const outcome = predictFor(record, execution, plans);
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
      // An item runs a part of the definition that its map stands in.
      const [published = ""] = workflowId.split(".");
      if (!programs.has(programKey(published, version))) look(`${id} runs ${workflowId} v${version}: never published`);
      else
        look(started?.version === version ? undefined : `${id} began with v${started?.version}, and has v${version}`);
    }
  },
};

type Plans = ReadonlyMap<string, ExecutionPlan>;

/** Undefined when the program is not known; `versions-kept` says so then. */
function predictFor(record: RunRecord, execution: Execution, plans: Plans): Outcome | undefined {
  if (isItem(execution)) return predictItem(record, execution, plans);
  const program = record.programs.get(programKey(execution.workflowId, execution.version));
  return program && predict(program, Number(execution.input?.["n"]), circumstancesOf(record, execution, plans));
}

/** An item adds its number to the one with which the execution around it has come to the map. */
function predictItem(record: RunRecord, item: Execution, plans: Plans): Outcome | undefined {
  const around = record.executions.get(item.parent?.executionId ?? "");
  const program = around && record.programs.get(programKey(around.workflowId, around.version));
  if (around === undefined || program === undefined) return undefined;
  const started = eventsOf(record.histories.get(around.executionId) ?? [], "itemStarted");
  const asked = started.find(({ value }) => value.childId === item.executionId)?.value;
  const at = program.stages.findIndex((_, index) => mapOf(nodeOf(index)) === asked?.nodeId);
  const stage = program.stages[at];
  const by = stage?.kind === "items" ? stage.by[asked?.index ?? -1] : undefined;
  if (by === undefined) return { status: "held" };
  const before = { ...program, stages: program.stages.slice(0, at) };
  const outcome = predict(before, Number(around.input?.["n"]), circumstancesOf(record, around, plans));
  return outcome.status === "completed" ? { status: "completed", output: outcome.output + by } : outcome;
}

function circumstancesOf(record: RunRecord, { executionId, requestId, ...execution }: Execution, plans: Plans) {
  const plan = plans.get(requestId);
  const program = record.programs.get(programKey(execution.workflowId, execution.version));
  return {
    // More than it takes would be kept for ever; the driver sends as many as it takes.
    signals: plan?.signals.slice(0, program && signalsOf(program)).map(({ value }) => value) ?? [],
    events: plan?.events.map(({ value }) => value) ?? [],
    resolutions: plan?.resolutions.map(({ value }) => value) ?? [],
    childOf: childrenOf(record, executionId),
  };
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

/** Whether somebody asked to cancel it, or what it was for is over and it was not to be left then. */
function isCancelable(record: RunRecord, { executionId, parent }: Execution): boolean {
  if (record.cancels.get(executionId) === "canceled") return true;
  if (parent === undefined || policyOf(record, executionId) === "leave") return false;
  const above = record.executions.get(parent.executionId);
  const stopped = eventsOf(record.histories.get(parent.executionId) ?? [], "nodeCanceled");
  return (
    above?.status === "canceled" ||
    above?.status === "failed" ||
    stopped.some(({ value }) => value.nodeId === parent.nodeId)
  );
}

export const parentCloseKept: Check = {
  id: "parent-close-kept",
  promise: 6,
  claim: "children that nobody waits for were canceled, terminated or left, as their parent says",
  run(record, look) {
    for (const { executionId: id } of record.listed) {
      const policy = policyOf(record, id);
      const history = record.histories.get(id) ?? [];
      const [canceled] = eventsOf(history, "executionCanceled");
      if (policy === undefined) continue;
      const [started] = eventsOf(history, "executionStarted");
      const outlives = started?.value.outlivesParent === true;
      if (outlives !== (policy === "leave")) look(`${id} has the policy ${policy}, and outlives: ${outlives}`);
      else if (canceled !== undefined && canceled.value.terminated !== (policy === "terminate")) {
        look(`${id} has the policy ${policy}, and was ${canceled.value.terminated ? "terminated" : "canceled"}`);
      } else look(undefined);
    }
  },
};

/** What the parent says of a sub-workflow that it stops waiting for; undefined for every other execution. */
function policyOf({ listed, programs, executions }: RunRecord, executionId: string): ParentClose | undefined {
  const { parent } = executions.get(executionId) ?? listed.find((each) => each.executionId === executionId) ?? {};
  const above = parent && executions.get(parent.executionId);
  const program = above && programs.get(programKey(above.workflowId, above.version));
  const stage = program?.stages.find((_, index) => racerOf(nodeOf(index)) === parent?.nodeId);
  return stage?.kind === "race" ? stage.onParentClose : undefined;
}

function isItem({ workflowId }: Execution): boolean {
  return workflowId.includes(".");
}
