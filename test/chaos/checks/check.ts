import type { RunRecord } from "../record/run-record.ts";

/** One thing that a promise means for a run. Pure: everything that it may look at is in the record. */
export interface Check {
  /** Kebab-case. */
  id: string;
  /** Number of the promise in ARCHITECTURE.md, or who else says so. */
  promise: number | "model" | "doctor";
  /** What is counted and must hold for each of them, as one clause. */
  claim: string;
  /** Calls `look` once for everything that it looked at, with what is wrong about it or undefined. */
  run(record: RunRecord, look: (violation: string | undefined) => void): void;
}

export interface CheckResult {
  id: string;
  promise: Check["promise"];
  claim: string;
  count: number;
  violations: string[];
}

export function runCheck(check: Check, record: RunRecord): CheckResult {
  const violations: string[] = [];
  let count = 0;
  check.run(record, (violation) => {
    count += 1;
    if (violation !== undefined) violations.push(violation);
  });
  return { id: check.id, promise: check.promise, claim: check.claim, count, violations };
}
