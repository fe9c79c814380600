import { aboutExecution } from "../finding.ts";
import type { Check } from "./check.ts";

export const leftovers: Check = {
  id: "leftovers",
  claim: "an execution that has ended holds nothing: no task, no timer, no child",
  subject: "ended executions",
  remedy: "nothing waits for it any more, so it does no harm but to the counts; report it with `heddle history`",
  run({ stored, live }, report) {
    let looked = 0;
    for (const { executionId, ended, activeNodes } of stored.values()) {
      if (!ended) continue;
      looked += 1;
      if (activeNodes.length === 0) continue;
      const message = `has ended, and by its snapshot node ${activeNodes.join(", ")} is under way`;
      report(aboutExecution(executionId, "active", message));
    }
    for (const { executionId, ended, waits, armedTimerAt } of live.values()) {
      if (!ended) continue;
      if (!stored.has(executionId)) looked += 1;
      if (armedTimerAt !== undefined)
        report(aboutExecution(executionId, "timer", "has ended, and a timer is set for it"));
      if (waits.length > 0) {
        const nodes = waits.map(({ nodeId }) => nodeId).join(", ");
        report(aboutExecution(executionId, "waits", `has ended, and in memory node ${nodes} is under way`));
      }
    }
    return looked;
  },
};
