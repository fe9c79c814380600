import { aboutExecution, aboutSuite } from "../finding.ts";
import type { Check } from "./check.ts";

export const lag: Check = {
  id: "lag",
  claim: "what was committed when the check began is projected and published by now",
  subject: "partitions and live executions",
  remedy:
    "lists are old, consumers wait, and the journal grows until it is mended. The log of the execution service says why the projection or the publisher is refused; for a publisher see whether its broker answers",
  run({ progress, live, stored }, report) {
    for (const { partition, committedOffset, projectedOffset, publishedOffsets } of progress) {
      if (projectedOffset < committedOffset) {
        const message = `partition ${partition} is projected up to offset ${projectedOffset}, and was committed up to ${committedOffset} when the check began`;
        report(aboutSuite(`projection ${partition} ${projectedOffset}`, message));
      }
      for (const [name, publishedOffset] of publishedOffsets) {
        if (publishedOffset >= committedOffset) continue;
        const message = `publisher ${name} has published partition ${partition} up to offset ${publishedOffset}, and it was committed up to ${committedOffset} when the check began`;
        report(aboutSuite(`publisher ${name} ${partition} ${publishedOffset}`, message));
      }
    }
    for (const { executionId, lastSeq, quarantined } of live.values()) {
      if (quarantined) continue;
      const projected = stored.get(executionId)?.lastSeq ?? 0;
      if (projected >= lastSeq) continue;
      const message = `is at event ${lastSeq}, and its projection stays at ${projected === 0 ? "nothing" : `event ${projected}`}: lists show it as it was`;
      report(aboutExecution(executionId, `unprojected ${projected}`, message));
    }
    return progress.length + live.size;
  },
};
