/** Time that a process has to become ready; the first start on two busy cores takes a few seconds. */
export const READY_TIMEOUT_MS = 60_000;

/** Pauses between looks at a process. */
export const POLL_MS = 25;

/** One look at `/healthz`: a paused process accepts connections and never answers. */
export const PROBE_TIMEOUT_MS = 1_000;

/** Time that a process has to end after SIGTERM before it is killed: its own limit is 30 s, a draining worker's 35 s. */
export const STOP_TIMEOUT_MS = 40_000;

/** Lines of a log that an error quotes. */
export const LOG_TAIL_LINES = 15;

/** Replicas of one service that `make up` starts at most: they share one machine. */
export const REPLICAS_MAX = 8;
