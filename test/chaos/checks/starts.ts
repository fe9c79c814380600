import type { Check } from "./check.ts";

export const startsKept: Check = {
  id: "starts-kept",
  promise: 1,
  claim: "acknowledged starts are there",
  run({ acknowledged, listed, plans }, look) {
    const byId = new Map(listed.map((execution) => [execution.executionId, execution]));
    const workflows = new Map(plans.map(({ requestId, workflowId }) => [requestId, workflowId]));
    for (const { requestId, executionId } of acknowledged) {
      const found = byId.get(executionId);
      if (found === undefined) look(`${executionId} was acknowledged for ${requestId} and is not listed`);
      else if (found.requestId !== requestId || found.workflowId !== workflows.get(requestId)) {
        look(`${executionId} is listed as ${found.workflowId} of ${found.requestId}, not of ${requestId}`);
      } else look(undefined);
    }
  },
};

export const startsOnce: Check = {
  id: "starts-once",
  promise: 1,
  claim: "request ids have one execution each",
  run({ acknowledged, listed, plans }, look) {
    const executions = new Map<string, Set<string>>(plans.map(({ requestId }) => [requestId, new Set()]));
    for (const { requestId, executionId, parent } of listed) {
      if (parent !== undefined) continue;
      const ids = executions.get(requestId);
      if (ids === undefined) look(`${executionId} was started by nobody (request id "${requestId}")`);
      else ids.add(executionId);
    }
    for (const { requestId, executionId } of acknowledged) executions.get(requestId)?.add(executionId);
    for (const [requestId, ids] of executions) {
      if (ids.size > 0) look(ids.size > 1 ? `${requestId} has ${[...ids].join(" and ")}` : undefined);
    }
  },
};

export const callsAnswered: Check = {
  id: "calls-answered",
  promise: "model",
  claim: "callers were answered in the end",
  run({ acknowledged, unanswered }, look) {
    for (const _start of acknowledged) look(undefined);
    for (const call of unanswered) look(call);
  },
};
