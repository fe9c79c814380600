const MB = 1024 * 1024;

/** Definitions larger than this are refused by the server, so they are not even read. */
export const sourceMaxBytes = 1 * MB;

/** Input files and texts; the server's default limit of an input is 1 MiB of JSON text. */
export const inputMaxBytes = 4 * MB;

/** Entries of `heddle list` unless --limit says otherwise. */
export const listDefaultLimit = 20;

/** Most entries that --limit may ask for, and most events that `heddle history` reads. */
export const listMaxLimit = 100_000;

/** Entries that are asked for at a time; the contract's maximum. */
export const pageSize = 1_000;

/** The live view is painted at most this often. */
export const paintIntervalMs = 80;

/** Pauses between two attempts to go on watching after the server went away: about a minute in all. */
export const watchRetryMs: readonly number[] = [
  50,
  100,
  200,
  400,
  800,
  1_600,
  ...Array.from({ length: 28 }, () => 2_000),
];

/** Lines that the live view takes when the terminal does not say how high it is. */
export const defaultRows = 24;

/** Width of lines when the terminal does not say how wide it is. */
export const defaultColumns = 80;

/** A process that has done its work and is still there after this long is ended. */
export const exitGraceMs = 2_000;
