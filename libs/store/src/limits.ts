/** Size of each of a database handle's two pools unless told otherwise. */
export const defaultMaxConnections = 10;

export const statementLimits = {
  /** Idle connections are closed after this long, so that a burst's connections do not stay. */
  idleConnectionMs: 30_000,
  /** A server that does not answer is reported, not waited for. */
  connectTimeoutMs: 10_000,
};
