const KB = 1024;
const MB = 1024 * KB;

/** Every bound of the runtime. All can be set per runtime. */
export interface JournalLimits {
  /** One flush decides at most this many events, bytes of events and milliseconds; the rest waits for the next. */
  batchMaxEvents: number;
  batchMaxBytes: number;
  batchMaxDecideMs: number;
  /** Commands that wait for a flush; admission is refused beyond. */
  queueMaxCommands: number;
  queueMaxBytes: number;
  /** Committed but not yet projected; admission is refused beyond. */
  projectionLagMaxEvents: number;
  projectionLagMaxBytes: number;
  /** Flushes that the slowest publisher has still to publish; admission is refused beyond. */
  publisherLagMaxRows: number;
  /** What a refused caller is told to wait. */
  retryAfterMs: number;
  /** Between two flushes of the projection. */
  projectionIntervalMs: number;
  /** Capturing states for the projection yields to commands after this long. */
  projectionMaxCaptureMs: number;
  /** A payload up to this size stays inside its event. */
  payloadInlineMaxBytes: number;
  /** A larger payload is refused by name and size. */
  payloadMaxBytes: number;
  /** How long an owner may go without renewing before others take its partitions. */
  leaseDurationMs: number;
  /** Between two renewals; also how soon a change of owners is noticed. */
  leaseRenewIntervalMs: number;
  /** This long before the lease could expire the owner no longer answers from memory alone. */
  leaseSafetyMarginMs: number;
  /** After an outage, or a pause of this process, others have this long to renew before anything is taken from them. */
  takeoverGraceMs: number;
  /** Taking or giving back partitions is tried again when it has taken so long: locks of others may hold it up. */
  assignmentTimeoutMs: number;
  /** While the database is away, reads wait and new work is queued for this long; then they are refused. */
  outagePatienceMs: number;
  /** An append that got no answer for so long has its connection cut and its outcome looked up. */
  appendTimeoutMs: number;
  /** One table of the journal holds the rows of this much time. */
  slotDurationMs: number;
  /** Between two looks for tables to create or to drop. */
  slotMaintenanceIntervalMs: number;
  /** Partitions that are recovered at the same time. */
  recoveryConcurrency: number;
  /** Rows read from the journal at a time. */
  readMaxRows: number;
  /** A timer whose command fails is tried again after this long, doubled each time up to the maximum. */
  timerRetryMinMs: number;
  timerRetryMaxMs: number;
}

export const defaultLimits: JournalLimits = {
  batchMaxEvents: 2_000,
  batchMaxBytes: 4 * MB,
  batchMaxDecideMs: 4,
  queueMaxCommands: 50_000,
  queueMaxBytes: 64 * MB,
  projectionLagMaxEvents: 200_000,
  projectionLagMaxBytes: 128 * MB,
  // Ten minutes of a broker's absence at full load, on disk: a row is a whole flush.
  publisherLagMaxRows: 200_000,
  retryAfterMs: 250,
  projectionIntervalMs: 200,
  projectionMaxCaptureMs: 5,
  payloadInlineMaxBytes: 64 * KB,
  payloadMaxBytes: 4 * MB,
  leaseDurationMs: 1_800,
  leaseRenewIntervalMs: 400,
  leaseSafetyMarginMs: 300,
  takeoverGraceMs: 1_000,
  assignmentTimeoutMs: 5_000,
  outagePatienceMs: 5_000,
  appendTimeoutMs: 3_000,
  slotDurationMs: 10 * 60_000,
  slotMaintenanceIntervalMs: 30_000,
  recoveryConcurrency: 8,
  readMaxRows: 500,
  timerRetryMinMs: 1_000,
  timerRetryMaxMs: 60_000,
};

export interface PublisherLimits {
  /** One call of `publish` gets at most this many events and bytes (a single row may be larger). */
  batchMaxEvents: number;
  batchMaxBytes: number;
  /** Committed rows kept in memory for a publisher that is behind; beyond, it reads them from the database. */
  tailMaxBytes: number;
  /** Flushes read from the database at a time by a publisher that is behind. */
  readMaxFlushes: number;
  /** Between two writes of the cursors: what was published in between comes again after a crash. */
  cursorIntervalMs: number;
  /** After a failed publish; doubled each time up to the maximum. */
  retryMinMs: number;
  retryMaxMs: number;
}

export const defaultPublisherLimits: PublisherLimits = {
  batchMaxEvents: 1_000,
  batchMaxBytes: 1 * MB,
  tailMaxBytes: 16 * MB,
  readMaxFlushes: 200,
  cursorIntervalMs: 100,
  retryMinMs: 50,
  retryMaxMs: 5_000,
};
