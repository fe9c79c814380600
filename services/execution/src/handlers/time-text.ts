import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

/** What a Timestamp may say: from the year 1 to 9999. Nobody checks it on the wire, and no database reads what is beyond. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A bound of a filter as text for the database, to the millisecond; empty when there is none. One beyond all times is the first or last. */
export function timeText(time: Timestamp | undefined): string {
  return time === undefined ? "" : new Date(Math.min(Math.max(timestampMs(time), FIRST_MS), LAST_MS)).toISOString();
}
