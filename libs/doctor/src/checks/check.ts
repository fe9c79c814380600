import type { SuiteFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";

/** A promise as a question to the facts. Pure. */
export interface Check {
  /** Stable: scripts rely on it. Kebab-case. */
  id: string;
  /** What holds when nothing is found, as one clause. */
  claim: string;
  /** What is counted as looked at, in the plural. */
  subject: string;
  /** What to do about a finding, for the person who reads it. */
  remedy: string;
  /** Calls `report` for each finding; gives how many things it looked at. */
  run(facts: SuiteFacts, report: (finding: Finding) => void, options: CheckOptions): number;
}

export interface CheckOptions {
  /** A timer that is due for longer than this has not fired. */
  overdueMs: number;
}
