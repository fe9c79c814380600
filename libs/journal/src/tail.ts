import type { JournalEntry } from "./types.ts";

/** Committed entries of one partition that a publisher has not published, as long as they fit. */
export interface Tail {
  push(entry: JournalEntry): void;
  /** Entries behind this offset, without a gap; empty when the next one is not in memory. */
  after(offset: number): readonly JournalEntry[];
}

export function createTail(maxBytes: number): Tail {
  let entries: JournalEntry[] = [];
  let sizeBytes = 0;
  return {
    push(entry) {
      entries.push(entry);
      sizeBytes += entry.sizeBytes;
      if (sizeBytes <= maxBytes) return;
      // Too far behind for memory: what is missing here is read from the database until memory has the next one again.
      entries = [];
      sizeBytes = 0;
    },
    after(offset) {
      let known = 0;
      for (; known < entries.length; known++) {
        const entry = entries[known] as JournalEntry;
        if (entry.offset > offset) break;
        sizeBytes -= entry.sizeBytes;
      }
      if (known > 0) entries = entries.slice(known);
      const [next] = entries;
      return next !== undefined && next.previousOffset <= offset ? entries : [];
    },
  };
}
