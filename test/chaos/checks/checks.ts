import type { RunRecord } from "../record/run-record.ts";
import { type Check, type CheckResult, runCheck } from "./check.ts";
import { doctorClean } from "./doctor.ts";
import { attemptsOrdered, historiesGapless, statesFollow, suspensionsKept } from "./histories.ts";
import { cancelsEnd, childrenAsked, nothingLeaked, slotsKept } from "./limits.ts";
import { parentCloseKept, poisonContained, resultsRight, versionsKept } from "./outcomes.ts";
import { poisonSetAside } from "./poison.ts";
import { allPublished, onlyCommitted, publishedInOrder } from "./published.ts";
import { callsAnswered, startsKept, startsOnce } from "./starts.ts";
import { completionsReal, effectsCommitted, failuresReal, staleRefused, tokensUnique } from "./tasks.ts";
import { allEnded, timersNotEarly } from "./timers.ts";

/** In the order of the promises of ARCHITECTURE.md; the model's own comes first. */
export const CHECKS: readonly Check[] = [
  callsAnswered,
  resultsRight,
  startsKept,
  startsOnce,
  historiesGapless,
  attemptsOrdered,
  suspensionsKept,
  statesFollow,
  effectsCommitted,
  completionsReal,
  failuresReal,
  tokensUnique,
  staleRefused,
  allPublished,
  onlyCommitted,
  publishedInOrder,
  timersNotEarly,
  allEnded,
  slotsKept,
  nothingLeaked,
  cancelsEnd,
  childrenAsked,
  parentCloseKept,
  poisonContained,
  poisonSetAside,
  versionsKept,
  doctorClean,
];

export function runChecks(record: RunRecord): CheckResult[] {
  return CHECKS.map((check) => runCheck(check, record));
}
