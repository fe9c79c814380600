import { aboutSuite } from "../finding.ts";
import type { Check } from "./check.ts";

export const poison: Check = {
  id: "poison",
  claim: "no consumer has set a message aside",
  subject: "groups with messages set aside",
  remedy:
    "the message is kept with its bytes and its error, and the group goes on behind it. Mend the cause, then have the message handled again or delete its row",
  run({ parked }, report) {
    for (const { service, group, topic, count, lastError } of parked) {
      if (count === 0) continue;
      const message = `group ${group} of ${service} has set ${count} ${count === 1 ? "message" : "messages"} of ${topic} aside; the last one failed with: ${lastError}`;
      report(aboutSuite(`${service} ${group} ${topic}`, message));
    }
    return parked.length;
  },
};
