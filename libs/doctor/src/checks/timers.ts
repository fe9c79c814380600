import { partitionOfId } from "../execution-id.ts";
import { aboutExecution, aboutMachine } from "../finding.ts";
import type { Check } from "./check.ts";

export const timers: Check = {
  id: "timers",
  claim: "what is due has fired",
  subject: "timers",
  remedy:
    "look at the log of the service, execution or statemachine, for commands that fail (`fire_timers`), and whether the process is starved of CPU; a restart sets all timers anew and fires what is due",
  run({ live, stored, machines, now, inspectedPartitions }, report, { overdueMs }) {
    let looked = 0;
    const look = (id: string, dueAt: number | undefined, about: typeof aboutExecution | typeof aboutMachine): void => {
      if (dueAt === undefined) return;
      looked += 1;
      if (now - dueAt <= overdueMs) return;
      const message = `its timer was due at ${new Date(dueAt).toISOString()}, ${Math.round((now - dueAt) / 1000)} s ago, and has not fired`;
      report(about(id, `due ${dueAt}`, message));
    };
    for (const { executionId, ended, quarantined, nextTimerAt } of live.values()) {
      if (!ended && !quarantined) look(executionId, nextTimerAt, aboutExecution);
    }
    for (const { executionId, ended, nextTimerAt } of stored.values()) {
      // Of those in memory the memory knows better.
      if (ended || live.has(executionId) || !inspectedPartitions.has(partitionOfId(executionId))) continue;
      look(executionId, nextTimerAt, aboutExecution);
    }
    for (const { machineId, nextTimerAt } of machines.values()) look(machineId, nextTimerAt, aboutMachine);
    return looked;
  },
};
