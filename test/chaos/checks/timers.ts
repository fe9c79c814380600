import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Check } from "./check.ts";
import { eventsOf, isEnd } from "./history.ts";

interface FiredTimer {
  nodeId: string;
  dueAt: number;
  firedAt: number;
}

/** The waits and retries of one execution that came to their end by time. */
export function firedTimers(history: readonly ExecutionEvent[]): FiredTimer[] {
  const waits = eventsOf(history, "waitStarted").filter(({ value }) => value.dueAtMs > 0n && value.signal === "");
  const completed = new Map(eventsOf(history, "nodeCompleted").map(({ value, at }) => [value.nodeId, at]));
  const scheduled = new Map(
    eventsOf(history, "taskScheduled").map(({ value, at }) => [`${value.nodeId}/${value.attempt}`, at]),
  );
  return [
    ...waits.map(({ value }) => ({
      nodeId: value.nodeId,
      dueAt: Number(value.dueAtMs),
      firedAt: completed.get(value.nodeId),
    })),
    ...eventsOf(history, "taskFailed")
      .filter(({ value }) => value.retryAtMs > 0n)
      .map(({ value }) => ({
        nodeId: value.nodeId,
        dueAt: Number(value.retryAtMs),
        firedAt: scheduled.get(`${value.nodeId}/${value.attempt + 1}`),
      })),
  ].filter((timer): timer is FiredTimer => timer.firedAt !== undefined);
}

export const timersNotEarly: Check = {
  id: "timers-not-early",
  promise: 5,
  claim: "waits and retries fired when they were due or later",
  run({ histories }, look) {
    for (const [id, history] of histories) {
      for (const { nodeId, dueAt, firedAt } of firedTimers(history)) {
        look(firedAt >= dueAt ? undefined : `${id}/${nodeId} fired ${dueAt - firedAt} ms early`);
      }
    }
  },
};

export const allEnded: Check = {
  id: "all-ended",
  promise: 5,
  claim: "executions ended",
  run({ listed, histories }, look) {
    for (const { executionId, workflowId, status } of listed) {
      const last = histories.get(executionId)?.at(-1);
      const hasEnded = last !== undefined && isEnd(last);
      look(hasEnded ? undefined : `${executionId} (${workflowId}) is stuck: ${status}, last ${last?.event.case}`);
    }
  },
};
