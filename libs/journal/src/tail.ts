import type { JournalEntry } from "./types.ts";

/** Committed entries of one partition that a publisher has not published, as long as they fit. */
export interface Tail {
  push(entry: JournalEntry): void;
  /** Entries from this offset on, without a gap; empty when the offset is not in memory. */
  from(offset: number): readonly JournalEntry[];
  /** Forgets entries up to this offset. */
  trim(offset: number): void;
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
    from(offset) {
      const first = entries[0]?.offset;
      if (first === undefined || offset < first) return [];
      return entries.slice(offset - first);
    },
    trim(offset) {
      let count = 0;
      while (count < entries.length && (entries[count] as JournalEntry).offset <= offset) {
        sizeBytes -= (entries[count] as JournalEntry).sizeBytes;
        count++;
      }
      if (count > 0) entries = entries.slice(count);
    },
  };
}
