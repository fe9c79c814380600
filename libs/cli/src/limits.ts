const MB = 1024 * 1024;

/** Definitions larger than this are refused by the server, so they are not even read. */
export const sourceMaxBytes = 1 * MB;

/** Input files and texts; the server's default limit of an input is 1 MiB of JSON text. */
export const inputMaxBytes = 4 * MB;

/** Entries of `heddle list` unless --limit says otherwise. */
export const listDefaultLimit = 20;

/** Most entries that --limit may ask for, and most events that `heddle history` reads. */
export const listMaxLimit = 100_000;

/** Executions whose histories `heddle machine history --with-executions` reads. */
export const historyExecutionsMax = 200;

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

/** Executions on a page that `heddle doctor` reads; each is one short piece of work for the service. */
export const doctorPageSize = 100;

/** Executions and tasks that one call of `heddle doctor` names; the contract's maxima. */
export const doctorIdsPerCall = 500;
export const doctorTasksPerCall = 1_000;

/** Findings whose executions are looked at again together. */
export const doctorSuspectsPerLook = 200;

/** How long `heddle update` waits for the reply, unless it is told otherwise; and what its call may take beyond that. */
export const UPDATE_WAIT_MS = 60_000;
export const UPDATE_MARGIN_MS = 10_000;

/** Pauses of `heddle doctor` before it looks again; the last one repeats. */
export const doctorPausesMs: readonly number[] = [200, 500, 1_000, 2_000];

/** Deadline of a call of `heddle doctor`: a page of long histories takes its time. */
export const doctorCallMs = 300_000;

/** Findings of one check that a report lists; the rest is counted. */
export const doctorFindingsMax = 1_000;

/** What `heddle doctor` does unless flags say otherwise. */
export const doctorDefaults = { perSecond: 500, patienceMs: 10_000, overdueMs: 30_000, seed: 1 } as const;
