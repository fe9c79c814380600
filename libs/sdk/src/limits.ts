/** Limits of a worker. `createWorker({ limits })` may change them for one worker; nothing runs without them. */
export interface WorkerLimits {
  /** Output of one task as JSON text, UTF-8. A larger one fails the task with type `payload_too_large`. The server's default cap is the same. */
  outputMaxBytes: number;
  /** `details` of one failure as JSON text, UTF-8; larger ones are left out. */
  detailsMaxBytes: number;
  /** Nesting of an output. Deeper ones, and circles, fail the task with type `output_not_json`. */
  outputMaxDepth: number;
  /** Results in one frame. */
  frameMaxResults: number;
  /** Characters of all outputs in one frame; one more result starts the next frame. Far below the 16 MiB that a message may have. */
  frameMaxChars: number;
  /** Results that the server has not acknowledged. Above it no further task is begun until some are. */
  unacknowledgedMaxResults: number;
  /** Characters of the outputs that the server has not acknowledged. */
  unacknowledgedMaxChars: number;
  /** First wait after a stream broke; doubles with each failure in a row. */
  reconnectMinMs: number;
  /** Longest wait between two attempts to connect. */
  reconnectMaxMs: number;
  /** How long the server may take to answer `hello` before the attempt counts as failed. */
  welcomeTimeoutMs: number;
}

export const DEFAULT_WORKER_LIMITS: Readonly<WorkerLimits> = {
  outputMaxBytes: 1024 * 1024,
  detailsMaxBytes: 16 * 1024,
  outputMaxDepth: 100,
  frameMaxResults: 2_000,
  frameMaxChars: 2 * 1024 * 1024,
  unacknowledgedMaxResults: 50_000,
  unacknowledgedMaxChars: 64 * 1024 * 1024,
  reconnectMinMs: 50,
  reconnectMaxMs: 2_000,
  welcomeTimeoutMs: 10_000,
};

/**
 * A worker that hears nothing asks its server this often whether it lives, and leaves it when no answer comes in time: a
 * server that hangs keeps its connections open, and its tasks go elsewhere within that time.
 */
export const WORKER_KEEPALIVE = { keepaliveIntervalMs: 1_000, keepaliveTimeoutMs: 1_500 };

/** Tasks that a worker takes at once unless told otherwise. */
export const DEFAULT_SLOTS = 100;

/** Most tasks that one worker may take at once; the contract's own limit. */
export const MAX_SLOTS = 100_000;

/** Tasks that one hello may name; the contract's own limit. What is above it is delivered again. */
export const HELD_MAX = 100_000;

/** Time that running tasks have to finish when a worker stops. */
export const DEFAULT_DRAIN_MS = 30_000;

/** Length of `Failure.type`. */
export const FAILURE_TYPE_MAX_CHARS = 128;

/** Length of `Failure.message` in UTF-8; longer texts are cut. */
export const FAILURE_MESSAGE_MAX_BYTES = 8 * 1024;

/** Time of a call with all its repetitions, unless it is told otherwise. */
export const DEFAULT_CALL_TIMEOUT_MS = 30_000;

/** First wait before a call is repeated; doubles with each failure in a row. */
export const CALL_RETRY_MIN_MS = 50;

/** Longest wait before a call is repeated, unless the server asks for a longer one. */
export const CALL_RETRY_MAX_MS = 2_000;

/** How long a watch tries to come back after its stream broke. */
export const WATCH_OUTAGE_MAX_MS = 300_000;

/** The longest wait that StartExecution takes. */
export const START_WAIT_MAX_MS = 600_000;

/** Entries that lists fetch at once. */
export const PAGE_SIZE = 200;
