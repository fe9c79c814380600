import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Execution } from "@heddle/sdk";
import type { Check } from "./check.ts";
import { eventsOf, inlineValue, isEnd } from "./history.ts";

export const historiesGapless: Check = {
  id: "histories-gapless",
  promise: 2,
  claim: "histories count from 1, begin with the start, end once",
  run({ histories }, look) {
    for (const [id, history] of histories) {
      const gap = history.findIndex(({ seq }, index) => Number(seq) !== index + 1);
      const ends = history.filter(isEnd).length;
      const last = history.at(-1);
      if (gap !== -1) look(`${id} has seq ${history[gap]?.seq} at place ${gap + 1}`);
      else if (history[0]?.event.case !== "executionStarted") look(`${id} begins with ${history[0]?.event.case}`);
      else if (history.some(({ executionId }) => executionId !== id)) look(`${id} has events of another execution`);
      else if (ends > 1) look(`${id} ends ${ends} times`);
      else if (ends === 1 && last !== undefined && !isEnd(last)) look(`${id} goes on after its end`);
      else look(undefined);
    }
  },
};

export const attemptsOrdered: Check = {
  id: "attempts-ordered",
  promise: 2,
  claim: "attempts follow each other, each ended once at most",
  run({ histories }, look) {
    for (const [id, history] of histories) {
      const nodes = new Map<string, { attempt: number; state: "running" | "failed" | "completed" }>();
      for (const { event, seq } of history) {
        if (event.case === "taskScheduled") {
          const { nodeId, attempt } = event.value;
          const before = nodes.get(nodeId) ?? { attempt: 0, state: "failed" };
          const isNext = attempt === before.attempt + 1 && before.state === "failed";
          const after = `attempt ${before.attempt}, which ${before.state}`;
          look(isNext ? undefined : `${id}/${nodeId}: attempt ${attempt} (seq ${seq}) after ${after}`);
          nodes.set(nodeId, { attempt, state: "running" });
        } else if (event.case === "taskCompleted" || event.case === "taskFailed") {
          const { nodeId, attempt } = event.value;
          const now = nodes.get(nodeId);
          const isRunning = now?.attempt === attempt && now.state === "running";
          look(isRunning ? undefined : `${id}/${nodeId}: attempt ${attempt} ended at seq ${seq} and did not run`);
          if (now !== undefined) now.state = event.case === "taskFailed" ? "failed" : "completed";
        }
      }
    }
  },
};

const BEGINNINGS: ReadonlySet<string> = new Set(["taskScheduled", "waitStarted", "childStarted", "itemStarted"]);

export const suspensionsKept: Check = {
  id: "suspensions-kept",
  promise: 2,
  claim: "suspended executions begin nothing",
  run({ histories }, look) {
    for (const [id, history] of histories) {
      let isSuspended = false;
      for (const { event, seq } of history) {
        if (event.case === "executionSuspended") isSuspended = true;
        if (event.case === "executionResumed") look(undefined);
        if (event.case === "executionResumed") isSuspended = false;
        const begins = BEGINNINGS.has(event.case ?? "");
        if (isSuspended && begins) look(`${id} began ${event.case} at seq ${seq} while it was suspended`);
      }
    }
  },
};

export const statesFollow: Check = {
  id: "states-follow",
  promise: 2,
  claim: "stored states are what their histories say",
  run({ executions, histories, listed }, look) {
    for (const [id, execution] of executions) {
      const history = histories.get(id) ?? [];
      look(describeDifference(execution, history));
    }
    for (const { executionId, status, lastSeq } of listed) {
      const now = executions.get(executionId);
      const isSame = now === undefined || (now.status === status && now.lastSeq === lastSeq);
      look(isSame ? undefined : `${executionId} is listed as ${status} at ${lastSeq}, and is ${now.status}`);
    }
  },
};

const STATUS_AFTER: Readonly<Record<string, Execution["status"]>> = {
  executionStarted: "running",
  executionSuspended: "suspended",
  executionResumed: "running",
  executionCompleted: "completed",
  executionFailed: "failed",
  executionCanceled: "canceled",
};

const NODE_STATUS_AFTER: Readonly<Record<string, string>> = {
  taskScheduled: "scheduled",
  taskCompleted: "completed",
  nodeCompleted: "completed",
  nodeFailed: "failed",
  nodeSkipped: "skipped",
  nodeCanceled: "canceled",
};
const SETTLED: ReadonlySet<string> = new Set(["completed", "failed", "skipped", "canceled"]);

function describeDifference(execution: Execution, history: readonly ExecutionEvent[]): string | undefined {
  const { executionId: id, status, lastSeq, output } = execution;
  if (history.length !== lastSeq) return `${id} is at seq ${lastSeq}, its history at ${history.length}`;
  let expected = "";
  const nodes = new Map<string, string>();
  for (const { event } of history) {
    expected = STATUS_AFTER[event.case ?? ""] ?? expected;
    const nodeStatus = NODE_STATUS_AFTER[event.case ?? ""];
    if (nodeStatus !== undefined) nodes.set((event.value as { nodeId: string }).nodeId, nodeStatus);
  }
  if (status !== expected) return `${id} is ${status}, its history says ${expected}`;
  const [completed] = eventsOf(history, "executionCompleted");
  const said = inlineValue(completed?.value.output);
  if (completed !== undefined && JSON.stringify(said) !== JSON.stringify(output)) {
    return `${id} gave ${JSON.stringify(output)}, its history says ${JSON.stringify(said)}`;
  }
  for (const { nodeId, status: nodeStatus } of execution.nodes) {
    const after = nodes.get(nodeId) ?? "pending";
    const isSame = SETTLED.has(nodeStatus) || SETTLED.has(after) ? nodeStatus === after : true;
    if (!isSame) return `${id}/${nodeId} is ${nodeStatus}, its history says ${after}`;
  }
  return undefined;
}
