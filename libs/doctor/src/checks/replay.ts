import { aboutExecution, aboutMachine } from "../finding.ts";
import type { Check } from "./check.ts";
import { findGap } from "./gaps.ts";

export const replay: Check = {
  id: "replay",
  claim: "replaying a history gives the stored snapshot, and the state in memory",
  subject: "states",
  remedy:
    "either the row in `executions` or `machines` was changed by hand, or this version decides differently from the one that wrote the history. Compare `heddle history` with `heddle get`; go back to the version before, and report the definition",
  run({ stored, live, machines }, report) {
    let looked = 0;
    for (const { executionId, replay: outcome, history, lastSeq } of stored.values()) {
      // A history with a gap cannot be replayed, and that is said already.
      if (outcome === undefined || findGap(history, lastSeq) !== undefined) continue;
      looked += 1;
      if (outcome.difference === "") continue;
      const message = `the replay of its history differs from the stored snapshot at event ${outcome.reachedSeq}: ${outcome.difference}`;
      report(aboutExecution(executionId, "stored", message));
    }
    for (const { executionId, replay: outcome, quarantined } of live.values()) {
      if (quarantined) {
        looked += 1;
        const message = "is set aside: this version cannot replay its events, so its commands are refused";
        report(aboutExecution(executionId, "quarantined", message));
        continue;
      }
      const kept = stored.get(executionId);
      const hasGap = kept !== undefined && findGap(kept.history, kept.lastSeq) !== undefined;
      if (outcome === undefined || hasGap) continue;
      looked += 1;
      if (outcome.difference === "") continue;
      const message = `the replay of what is stored differs from the state in memory at event ${outcome.reachedSeq}: ${outcome.difference}`;
      report(aboutExecution(executionId, "live", message));
    }
    for (const { machineId, replay: outcome, history, lastSeq } of machines.values()) {
      if (outcome === undefined || findGap(history, lastSeq) !== undefined) continue;
      looked += 1;
      if (outcome.difference === "") continue;
      const message = `the replay of its history differs from the stored snapshot at event ${outcome.reachedSeq}: ${outcome.difference}`;
      report(aboutMachine(machineId, "stored", message));
    }
    return looked;
  },
};
