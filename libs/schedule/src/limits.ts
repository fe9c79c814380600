/** Shortest distance between two starts, milliseconds. */
export const MIN_INTERVAL_MS = 1_000;
/** Longest distance between two starts, milliseconds: 366 days. */
export const MAX_INTERVAL_MS = 366 * 86_400_000;
/** Most that a start may be later than its time, milliseconds. */
export const MAX_JITTER_MS = 3_600_000;
/** Characters of a cron expression. */
export const MAX_CRON_LENGTH = 256;
/** Cron expressions that are kept parsed. */
export const PARSED_CRONS = 1_000;
