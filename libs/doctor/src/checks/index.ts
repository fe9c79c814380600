import type { SuiteFacts } from "../facts.ts";
import type { CheckResult, Finding } from "../finding.ts";
import type { Check, CheckOptions } from "./check.ts";
import { children } from "./children.ts";
import { gaps } from "./gaps.ts";
import { lag } from "./lag.ts";
import { leases } from "./leases.ts";
import { leftovers } from "./leftovers.ts";
import { machines } from "./machines.ts";
import { poison } from "./poison.ts";
import { replay } from "./replay.ts";
import { slots } from "./slots.ts";
import { starts } from "./starts.ts";
import { timers } from "./timers.ts";
import { wakeUps } from "./wake-ups.ts";

/** All checks of facts, in the order in which a report shows them. */
export const CHECKS: readonly Check[] = [
  gaps,
  replay,
  starts,
  wakeUps,
  timers,
  children,
  machines,
  leftovers,
  slots,
  leases,
  lag,
  poison,
];

/** Asks one check. */
export function runCheck(check: Check, facts: SuiteFacts, options: CheckOptions): CheckResult {
  const findings: Finding[] = [];
  const looked = check.run(facts, (finding) => findings.push(finding), options);
  return { looked, findings };
}
