import { partitionOfId } from "../execution-id.ts";
import { aboutExecution } from "../finding.ts";
import type { Check } from "./check.ts";

export const timers: Check = {
  id: "timers",
  claim: "what is due has fired",
  subject: "timers",
  remedy:
    "look at the log of the execution service for commands that fail (`fire_timers`), and whether the process is starved of CPU; a restart sets all timers anew and fires what is due",
  run({ live, stored, now, inspectedPartitions }, report, { overdueMs }) {
    let looked = 0;
    const look = (executionId: string, dueAt: number | undefined): void => {
      if (dueAt === undefined) return;
      looked += 1;
      if (now - dueAt <= overdueMs) return;
      const message = `its timer was due at ${new Date(dueAt).toISOString()}, ${Math.round((now - dueAt) / 1000)} s ago, and has not fired`;
      report(aboutExecution(executionId, `due ${dueAt}`, message));
    };
    for (const { executionId, ended, quarantined, nextTimerAt } of live.values()) {
      if (!ended && !quarantined) look(executionId, nextTimerAt);
    }
    for (const { executionId, ended, nextTimerAt } of stored.values()) {
      // Of those in memory the memory knows better.
      if (ended || live.has(executionId) || !inspectedPartitions.has(partitionOfId(executionId))) continue;
      look(executionId, nextTimerAt);
    }
    return looked;
  },
};
