import { aboutSuite } from "../finding.ts";
import type { Check } from "./check.ts";

export const leases: Check = {
  id: "leases",
  claim: "each partition and each shard has exactly one owner that lives",
  subject: "partitions and shards",
  remedy:
    "start a replica of the service, or see in its log why it cannot take the partition (its database, a recovery that fails); a lease that ran out is taken over within seconds",
  run({ leases: all }, report) {
    for (const { kind, number, owner, live, epoch, answeredEpoch } of all) {
      const what = `${kind} ${number}`;
      if (owner === "") report(aboutSuite(what, `${what} has no owner: what is in it stands still`));
      else if (!live) {
        report(
          aboutSuite(what, `${what} is assigned to ${owner}, whose lease has run out: what is in it stands still`),
        );
      } else if (kind === "machine partition") {
        // Machines are looked at in the database: no owner was asked.
        continue;
      } else if (answeredEpoch === undefined) {
        report(aboutSuite(what, `${what} is assigned to ${owner}, which does not answer for it`));
      } else if (answeredEpoch !== epoch) {
        const message = `${what} is at epoch ${epoch}, and a process answers for it that took it at epoch ${answeredEpoch}: there are two owners, and the older one cannot write`;
        report(aboutSuite(what, message));
      }
    }
    return all.length;
  },
};
