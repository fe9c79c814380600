import { timeOfId } from "./execution-id.ts";
import { aboutExecution, type CheckResult, type Finding } from "./finding.ts";

/** What was published, in the order of one topic partition, or of one event log. */
export interface PublishedEvent {
  executionId: string;
  seq: number;
}

export interface OutboxOptions {
  /**
   * Executions that began by this time, milliseconds since the epoch, may have been dropped by retention where this one's
   * events are; undefined when nothing was dropped there.
   */
  droppedUntil(executionId: string): number | undefined;
}

/**
 * Compares what was published with what is committed, both ways. Duplicates are allowed and counted; gaps and events out
 * of order within an execution are not. What retention has dropped is told from what was lost by time: an execution that
 * began after the oldest event that is still there must be there from its first event on.
 */
export interface OutboxCheck {
  /** The next event, in the order of its partition. */
  add(event: PublishedEvent): void;
  /**
   * Executions of which more was published than `committed` says. They may have gone on since: ask again for them, and
   * give the answer to `finish`.
   */
  ahead(committed: ReadonlyMap<string, number>): string[];
  /**
   * `committed`: number of the last committed event by execution, read before the events were published that `add` was given last.
   * `committedSince`: the same for those of `ahead`, read afterwards.
   */
  finish(
    committed: ReadonlyMap<string, number>,
    committedSince: ReadonlyMap<string, number>,
    options: OutboxOptions,
  ): OutboxResult;
}

export interface OutboxResult extends CheckResult {
  /** Events. */
  published: number;
  duplicates: number;
  /** Executions that retention has dropped, in whole or in part. */
  dropped: number;
}

/** Numbers of missing events that are remembered of one execution. */
const MISSING_MAX = 1_000;

interface Seen {
  first: number;
  last: number;
  missing: Set<number> | undefined;
  /** Of the first event that came after a later one. */
  late: number | undefined;
}

export function createOutboxCheck(): OutboxCheck {
  const executions = new Map<string, Seen>();
  let published = 0;
  let duplicates = 0;

  const findMissing = (executionId: string, lastSeq: number, wasDropped: boolean): Finding | undefined => {
    const seen = executions.get(executionId);
    if (seen === undefined) {
      if (wasDropped) return undefined;
      const message = `none of its ${lastSeq} events was published: consumers do not know of it`;
      return aboutExecution(executionId, "unpublished", message);
    }
    if (seen.first > 1 && !wasDropped) {
      const message = `was published from event ${seen.first} on; the events before it are missing`;
      return aboutExecution(executionId, "no-beginning", message);
    }
    const [missing] = seen.missing ?? [];
    if (missing !== undefined) {
      return aboutExecution(executionId, "gap", `event ${missing} was not published, and later ones were`);
    }
    if (seen.last < lastSeq) {
      const message = `was published up to event ${seen.last}, and is committed up to ${lastSeq}: the rest never left`;
      return aboutExecution(executionId, "no-end", message);
    }
    return undefined;
  };

  return {
    add({ executionId, seq }) {
      published += 1;
      const seen = executions.get(executionId);
      if (seen === undefined) {
        executions.set(executionId, { first: seq, last: seq, missing: undefined, late: undefined });
        return;
      }
      if (seq === seen.last + 1) {
        seen.last = seq;
      } else if (seq > seen.last) {
        seen.missing ??= new Set();
        for (let at = seen.last + 1; at < seq && seen.missing.size < MISSING_MAX; at++) seen.missing.add(at);
        seen.last = seq;
      } else if (seen.missing?.delete(seq) === true || seq < seen.first) {
        seen.late ??= seq;
        seen.first = Math.min(seen.first, seq);
      } else {
        duplicates += 1;
      }
    },
    ahead: (committed) =>
      [...executions].filter(([id, seen]) => seen.last > (committed.get(id) ?? 0)).map(([id]) => id),
    finish(committed, committedSince, { droppedUntil }) {
      const findings: Finding[] = [];
      let dropped = 0;
      for (const [executionId, lastSeq] of committed) {
        const until = droppedUntil(executionId);
        const mayBeDropped = until !== undefined && timeOfId(executionId) <= until;
        if (mayBeDropped && executions.get(executionId)?.first !== 1) dropped += 1;
        const found = findMissing(executionId, lastSeq, mayBeDropped);
        if (found !== undefined) findings.push(found);
      }
      for (const [executionId, seen] of executions) {
        if (seen.late !== undefined) {
          const message = `event ${seen.late} was published after a later one: consumers have seen them in the wrong order`;
          findings.push(aboutExecution(executionId, "order", message));
        }
        const known = Math.max(committed.get(executionId) ?? 0, committedSince.get(executionId) ?? 0);
        if (seen.last <= known) continue;
        const what = known === 0 ? "no such execution is stored" : `it is committed up to event ${known}`;
        const message = `event ${seen.last} was published, and ${what}: consumers have seen what never happened`;
        findings.push(aboutExecution(executionId, "uncommitted", message));
      }
      return { looked: committed.size, findings, published, duplicates, dropped };
    },
  };
}
