/** Every bound and period of schedules and triggers. */
export interface ScheduleLimits {
  /** A start that is late by no more than this is not missed, whatever its catch-up window. */
  lateGraceMs: number;
  /** Starts that are caught up at once after an outage, the latest ones; also those that wait while execution is away. */
  catchUpMaxStarts: number;
  /** Pause before a start, cancel or question is sent again; doubled each time up to the maximum. */
  retryMinMs: number;
  retryMaxMs: number;
  /** Time for one call to execution. */
  callTimeoutMs: number;
  /** Schedules and firings that are worked on at once. */
  concurrency: number;
  /** The clock may be set: no timer waits longer than this without looking at it. */
  timerMaxMs: number;
  /** A clock that goes back by less is waited for; by more, it was wrong before. */
  clockBackMaxMs: number;
  /** Schedules of one namespace, declared ones included. */
  schedulesPerNamespaceMax: number;
  /** Starts by triggers that follow from one another. */
  triggerDepthMax: number;
  /** How long parked firings are kept. */
  parkedRetentionMs: number;
  /** Pause before the database is asked again after it failed, and before a lost connection for notices is made anew. */
  databaseRetryMs: number;
  /** Between two looks whether the connection for notices still lives, and how long it may be silent then. */
  noticesCheckMs: number;
  noticesSilenceMaxMs: number;
}

export const defaultScheduleLimits: Readonly<ScheduleLimits> = {
  lateGraceMs: 10_000,
  catchUpMaxStarts: 100,
  retryMinMs: 200,
  retryMaxMs: 30_000,
  callTimeoutMs: 10_000,
  concurrency: 16,
  timerMaxMs: 15_000,
  clockBackMaxMs: 3_600_000,
  schedulesPerNamespaceMax: 10_000,
  triggerDepthMax: 16,
  parkedRetentionMs: 30 * 86_400_000,
  databaseRetryMs: 1_000,
  noticesCheckMs: 10_000,
  noticesSilenceMaxMs: 5_000,
};

/** Most next times that a schedule shows. */
export const nextTimesMax = 10;
/** Characters of the id of a schedule that a call creates. */
export const scheduleIdMaxLength = 128;
/** Bytes of the input of a schedule, as JSON. */
export const inputMaxBytes = 64 * 1024;
