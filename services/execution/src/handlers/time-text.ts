import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

/** The last millisecond of a Timestamp; that of its last nanosecond, rounded up, is in a year that no database reads. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A bound of a filter as text for the database, in milliseconds rounded up; empty when there is none. */
export function timeText(time: Timestamp | undefined): string {
  return time === undefined ? "" : new Date(Math.min(timestampMs(time), LAST_MS)).toISOString();
}
