import { CHECKS, type CheckOptions, type CheckResult, type Finding, runCheck } from "@heddle/doctor";
import { doctorSuspectsPerLook, doctorPausesMs } from "../limits.ts";
import { collectAgain } from "./collect.ts";
import { pause, type SuiteReader } from "./suite-reader.ts";

/** Results by id of the check. */
export type Results = Map<string, CheckResult>;

export interface ConfirmOptions extends CheckOptions {
  /** How long a suspicion has to go away. */
  patienceMs: number;
  heads: ReadonlyMap<number, number>;
  signal: AbortSignal;
  onProgress(what: string): void;
}

/**
 * Looks again at what is suspected until the patience is over, and leaves what was found every time. The services were
 * not asked at one instant, so that most of what looks wrong at first is only on its way.
 */
export async function confirm(reader: SuiteReader, results: Results, options: ConfirmOptions): Promise<void> {
  const startedAt = performance.now();
  for (let round = 0; countFindings(results) > 0; round++) {
    const leftMs = options.patienceMs - (performance.now() - startedAt);
    if (leftMs <= 0) return;
    options.onProgress(`looks again at ${countFindings(results)} suspicions`);
    const pauseMs = doctorPausesMs[Math.min(round, doctorPausesMs.length - 1)] ?? 0;
    await pause(Math.min(pauseMs, leftMs), options.signal);
    await lookAgain(reader, results, options);
  }
}

async function lookAgain(reader: SuiteReader, results: Results, options: ConfirmOptions): Promise<void> {
  const found = new Map<string, Map<string, Finding>>();
  for (const part of inParts(results)) {
    const executionIds = [...new Set(part.flatMap((finding) => finding.executionIds))];
    const taskIds = [...new Set(part.flatMap((finding) => finding.taskIds))];
    const machineIds = [...new Set(part.flatMap((finding) => finding.machineIds))];
    const facts = await collectAgain(reader, { executionIds, machineIds, taskIds }, options.heads);
    for (const check of CHECKS) {
      const again = found.get(check.id) ?? new Map<string, Finding>();
      for (const finding of runCheck(check, facts, options).findings) again.set(finding.key, finding);
      found.set(check.id, again);
    }
  }
  for (const [id, result] of results) {
    result.findings = result.findings.flatMap(({ key }) => found.get(id)?.get(key) ?? []);
  }
}

/** Suspicions in groups that one look can take. */
function* inParts(results: Results): Iterable<Finding[]> {
  let part: Finding[] = [];
  for (const { findings } of results.values()) {
    for (const finding of findings) {
      part.push(finding);
      if (part.length < doctorSuspectsPerLook) continue;
      yield part;
      part = [];
    }
  }
  if (part.length > 0) yield part;
}

function countFindings(results: Results): number {
  let count = 0;
  for (const { findings } of results.values()) count += findings.length;
  return count;
}
