import { compileTemplate, ExpressionError, type JsonObject } from "@heddle/expression";
import type { Database, Transaction } from "@heddle/store";
import {
  findSchedule,
  listDueSchedules,
  nextScheduleWake,
  postponeSchedule,
  saveSchedule,
  type ScheduleKey,
  type ScheduleRow,
} from "../store/schedules.ts";
import { advance, wakeAt } from "./advance.ts";
import { type Calls, takeCalls } from "./calls.ts";
import type { DueQueue } from "./clockwork.ts";
import type { Executions } from "./executions.ts";
import { formatTime } from "./format-time.ts";
import { DUE_AT_LABEL, labelValue, SCHEDULE_LABEL } from "./labels.ts";
import type { ScheduleLimits } from "./limits.ts";
import type { PendingStart, Run } from "./model.ts";
import { executionEnded, findRun, foundRunning, repeatLater, startRefused, startTaken } from "./outcomes.ts";
import { scheduleRequestId } from "./request-id.ts";

export interface ScheduleQueueOptions {
  database: Database;
  executions: Executions;
  /** Namespaces whose schedules this replica runs. */
  namespaces: () => readonly string[];
  isOwner: (namespace: string) => boolean;
  now: () => number;
  limits: ScheduleLimits;
}

/** What a call has shown, to be applied to the row as it is then. */
type Outcome = (row: ScheduleRow, nowMs: number) => void;

/**
 * Schedules, worked on as they become due. Decided and written first, asked of execution then, and the answer written: a
 * crash in between leaves a start that is asked for again, with the same request id.
 */
export function createScheduleQueue(options: ScheduleQueueOptions): DueQueue<ScheduleKey> {
  const { database, executions, namespaces, isOwner, now, limits } = options;

  async function decide(key: ScheduleKey): Promise<{ row: ScheduleRow; calls: Calls } | undefined> {
    return await changeSchedule(database, key, (row) => {
      const nowMs = now();
      // What runs may have ended unseen: that is asked first, once, so that its place is not taken for occupied.
      const isUnknown = row.state.running.some(({ unchecked, attempts }) => unchecked && attempts === undefined);
      if (!isUnknown) row.state = advance(row, row.state, nowMs, limits).state;
      return { row, calls: takeCalls(row.state, nowMs, limits) };
    });
  }

  async function start(row: ScheduleRow, { dueMs }: PendingStart): Promise<Outcome> {
    const { namespace, scheduleId, spec } = row;
    const dueAt = formatTime(dueMs);
    let input: JsonObject;
    try {
      input = evaluateInput(spec.input, { id: scheduleId, due_at: dueAt });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return (current, nowMs) => startRefused(current, current.state, dueMs, error.message, nowMs);
    }
    const outcome = await executions.start({
      namespace,
      workflowId: spec.workflowId,
      input,
      requestId: scheduleRequestId(scheduleId, dueMs),
      labels: { [SCHEDULE_LABEL]: labelValue(scheduleId), [DUE_AT_LABEL]: dueAt },
    });
    return (current, nowMs) => {
      if (outcome.kind === "taken") startTaken(current, current.state, dueMs, outcome.executionId);
      else if (outcome.kind === "refused") startRefused(current, current.state, dueMs, outcome.why, nowMs);
      else {
        const pending = current.state.pending.find((each) => each.dueMs === dueMs);
        if (pending !== undefined) repeatLater(pending, nowMs, limits, outcome.atLeastMs);
      }
    };
  }

  async function settle({ executionId }: Run, ask: Promise<boolean | undefined>): Promise<Outcome> {
    const ended = await ask;
    return (current, nowMs) => {
      if (ended === true) executionEnded(current, current.state, executionId, nowMs);
      else if (ended === false) foundRunning(current.state, executionId);
      else {
        const run = findRun(current.state, executionId);
        if (run !== undefined) repeatLater(run, nowMs, limits);
      }
    };
  }

  return {
    name: "schedules",
    idOf: ({ namespace, scheduleId }) => `${namespace}/${scheduleId}`,
    listDue: (nowMs, limit) => listDueSchedules(database, namespaces(), nowMs, limit),
    nextWakeAt: () => nextScheduleWake(database, namespaces()),
    postpone: (key, untilMs) => postponeSchedule(database, key, untilMs),
    async work(key) {
      if (!isOwner(key.namespace)) return;
      const decided = await decide(key);
      if (decided === undefined) return;
      const { row, calls } = decided;
      const reason = `schedule ${row.scheduleId}: the next start has come`;
      const outcomes = await Promise.all([
        ...calls.starts.map((pending) => start(row, pending)),
        ...calls.cancels.map((run) => settle(run, executions.cancel(run.executionId, reason))),
        ...calls.checks.map((run) => settle(run, executions.hasEnded(run.executionId))),
      ]);
      if (outcomes.length === 0) return;
      await changeSchedule(database, key, (current) => {
        const nowMs = now();
        for (const apply of outcomes) apply(current, nowMs);
      });
    },
  };
}

/** Changes a schedule as it is now, and writes when it has to be looked at next. undefined when it is gone. */
export async function changeSchedule<T>(
  database: Database,
  key: ScheduleKey,
  change: (row: ScheduleRow, transaction: Transaction) => T | Promise<T>,
): Promise<T | undefined> {
  return await database.transaction(async (transaction) => {
    const row = await findSchedule(transaction, key, { forUpdate: true });
    if (row === undefined) return undefined;
    const result = await change(row, transaction);
    await saveSchedule(transaction, row, wakeAt(row, row.state));
    return result;
  });
}

/** @throws ExpressionError */
function evaluateInput(template: JsonObject, schedule: { id: string; due_at: string }): JsonObject {
  const scope = { get: (name: string) => (name === "schedule" ? schedule : undefined) };
  return compileTemplate(template).evaluate(scope) as JsonObject;
}
