import type { SeqRange } from "../facts.ts";
import { aboutExecution, aboutMachine } from "../finding.ts";
import type { Check } from "./check.ts";

export const gaps: Check = {
  id: "gaps",
  claim: "histories are numbered 1, 2, 3 … without a gap, and hold nothing twice",
  subject: "histories",
  remedy:
    "events are lost or written twice in `history` or `journal`: nothing of Heddle deletes there. Restore the rows from a backup; the execution goes on from its snapshot, and its past cannot be replayed until then",
  run({ stored, unprojected, machines }, report) {
    for (const { executionId, history, lastSeq } of stored.values()) {
      const found = findGap(history, lastSeq) ?? findGapAfter(lastSeqOf(history), unprojected.get(executionId) ?? []);
      if (found !== undefined) report(aboutExecution(executionId, found, found));
    }
    for (const [executionId, ranges] of unprojected) {
      if (stored.has(executionId)) continue;
      const found = findGapAfter(0, ranges);
      if (found !== undefined) report(aboutExecution(executionId, found, found));
    }
    for (const { machineId, history, lastSeq } of machines.values()) {
      const found = findGap(history, lastSeq);
      if (found !== undefined) report(aboutMachine(machineId, found, found));
    }
    return stored.size + machines.size;
  },
};

/** What is wrong with a history that must hold everything up to `lastSeq`. */
export function findGap(history: readonly SeqRange[], lastSeq: number): string | undefined {
  let next = 1;
  for (const { first, last } of history) {
    if (first > next) return `its history lacks ${describe(next, first - 1)}`;
    if (first < next) return `its history holds ${describe(first, Math.min(last, next - 1))} twice`;
    next = last + 1;
  }
  return next <= lastSeq ? `its history lacks ${describe(next, lastSeq)}` : undefined;
}

/** The journal may begin before the end of the history: it was read first, and projected since. */
function findGapAfter(historyEnd: number, ranges: readonly SeqRange[]): string | undefined {
  let next: number | undefined;
  for (const { first, last } of ranges) {
    if (next === undefined) {
      if (first > historyEnd + 1) return `its journal lacks ${describe(historyEnd + 1, first - 1)}`;
    } else if (first > next) {
      return `its journal lacks ${describe(next, first - 1)}`;
    } else if (first < next) {
      return `its journal holds ${describe(first, Math.min(last, next - 1))} twice`;
    }
    next = last + 1;
  }
  return undefined;
}

function lastSeqOf(history: readonly SeqRange[]): number {
  return history.at(-1)?.last ?? 0;
}

function describe(first: number, last: number): string {
  return first === last ? `event ${first}` : `events ${first} to ${last}`;
}
