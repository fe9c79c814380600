import {
  type CheckResult,
  CHECKS,
  createOutboxCheck,
  type OutboxResult,
  runCheck,
  type SuiteFacts,
} from "@heddle/doctor";
import { DomainError } from "@heddle/errors";
import { CliError } from "../cli-error.ts";
import { collect, collectAgain, type Collected, type CollectOptions } from "./collect.ts";
import { confirm, type Results } from "./confirm.ts";
import { type EventSource, readPublished } from "./published.ts";
import { pause, progressOf, type SuiteReader } from "./suite-reader.ts";

export interface ExamineOptions extends CollectOptions {
  overdueMs: number;
  patienceMs: number;
  /** Where the published events are; absent: they are not compared. */
  events?: EventSource;
  signal: AbortSignal;
}

/** What became of one check. */
export interface CheckReport extends CheckResult {
  id: string;
  claim: string;
  /** What was looked at, in the plural. */
  subject: string;
  remedy: string;
  /** Why it was not made, or not as a whole. */
  unchecked?: string;
  /** What else was counted. */
  notes: readonly string[];
}

export interface Examination {
  checks: CheckReport[];
  /** What could not be looked at, over all checks. */
  unchecked: string[];
}

const OUTBOX = {
  id: "outbox",
  claim: "every committed event is published, every published event is committed, in order",
  subject: "executions",
  remedy:
    "consumers have missed an event, or have seen one that never was. For what is missing see the publisher's log and whether somebody deleted records; let consumers read the histories of these executions again",
};
const NO_SOURCE = "give --brokers (or KAFKA_BROKERS), or --event-log for `heddle dev`, to have the events compared";
/** Between two looks at how far the publishers are. */
const PROGRESS_POLL_MS = 100;

/** Looks at a suite, looks again at what seems wrong, and says what stayed. */
export async function examine(reader: SuiteReader, options: ExamineOptions): Promise<Examination> {
  const collected = await collect(reader, options);
  await awaitPublishers(reader, collected, options);
  const results: Results = new Map(CHECKS.map((check) => [check.id, runCheck(check, collected.facts, options)]));
  await confirm(reader, results, { ...options, heads: collected.heads });
  const checks = CHECKS.map(({ id, claim, subject, remedy }): CheckReport => {
    const result = results.get(id) ?? { looked: 0, findings: [] };
    return { id, claim, subject, remedy, notes: [], ...result };
  });
  const { unchecked } = collected;
  const events = await examineEvents(reader, collected.facts, options);
  if (events.unchecked !== undefined && options.events !== undefined) unchecked.push(events.unchecked);
  return { checks: [...checks.slice(0, 2), events, ...checks.slice(2)], unchecked };
}

/** What was committed before is on its way: gives it the time that a suspicion has to go away. */
async function awaitPublishers(
  reader: SuiteReader,
  { facts, heads }: Collected,
  { patienceMs, signal, onProgress }: ExamineOptions,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  let { progress } = facts;
  while (progress.some(isBehind) && performance.now() < deadline) {
    onProgress("waits for the publishers");
    await pause(PROGRESS_POLL_MS, signal);
    progress = progressOf(await reader.describePartitions(), heads);
  }
}

function isBehind({ committedOffset, publishedOffsets }: SuiteFacts["progress"][number]): boolean {
  return [...publishedOffsets.values()].some((offset) => offset < committedOffset);
}

async function examineEvents(
  reader: SuiteReader,
  facts: SuiteFacts,
  { events, signal, onProgress }: ExamineOptions,
): Promise<CheckReport> {
  const empty = { ...OUTBOX, looked: 0, findings: [], notes: [] };
  if (events === undefined) return { ...empty, unchecked: NO_SOURCE };
  onProgress("reads what was published");
  const check = createOutboxCheck();
  const committed = committedOf(facts);
  try {
    const published = await readPublished(events, check, signal);
    const ahead = check.ahead(committed);
    const since = committedOf(
      await collectAgain(reader, { executionIds: ahead, machineIds: [], taskIds: [] }, new Map()),
    );
    const result = check.finish(committed, since, published);
    return { ...OUTBOX, ...result, notes: notesOf(result) };
  } catch (error) {
    if (signal.aborted || error instanceof CliError || error instanceof DomainError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { ...empty, unchecked: `the events cannot be read: ${why}` };
  }
}

/** Number of the last event that is committed, by execution: projected or not. */
function committedOf({ stored, live }: SuiteFacts): Map<string, number> {
  const committed = new Map<string, number>();
  for (const { executionId, lastSeq } of stored.values()) committed.set(executionId, lastSeq);
  for (const { executionId, lastSeq, quarantined } of live.values()) {
    if (!quarantined) committed.set(executionId, Math.max(committed.get(executionId) ?? 0, lastSeq));
  }
  return committed;
}

function notesOf({ published, duplicates, dropped }: OutboxResult): string[] {
  const notes = [`${published} events`];
  if (duplicates > 0) notes.push(`${duplicates} of them twice, which is allowed`);
  if (dropped > 0) notes.push(`${dropped} executions began before the oldest event that is still there`);
  return notes;
}
