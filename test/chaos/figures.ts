import { countDuplicates } from "./checks/published.ts";
import { firedTimers } from "./checks/timers.ts";
import type { RunRecord } from "./record/run-record.ts";

/** Figures of a run that are no promises, but tell whether it was one worth having. */
export function describeRun(record: RunRecord, errors: ReadonlyMap<string, number>): Record<string, string | number> {
  const histories = [...record.histories.values()];
  const lateness = histories.flatMap(firedTimers).map(({ dueAt, firedAt }) => firedAt - dueAt);
  const begun = record.effects.filter(({ phase }) => phase === "begin");
  return {
    "executions, children included": record.listed.length,
    events: histories.reduce((sum, history) => sum + history.length, 0),
    "handler runs": begun.length,
    "handler runs beyond the first of an attempt": begun.length - new Set(begun.map(({ key }) => key)).size,
    "answers that came after their lease": record.effects.filter(({ phase }) => phase === "stale").length,
    "events published more than once": countDuplicates(record),
    "timers that fired": lateness.length,
    "latest timer, ms after it was due": lateness.reduce((latest, each) => Math.max(latest, each), 0),
    "errors that callers met": [...errors].map(([name, count]) => `${name}: ${count}`).join("; ") || "none",
  };
}
