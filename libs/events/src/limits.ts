const KB = 1024;
const MB = 1024 * KB;

/** Bounds of delivery, the same on every bus. All can be set per bus. */
export interface BusLimits {
  /** Messages and bytes that one group may have waiting in one partition; more is not taken in (one larger message is let in alone). */
  queueMaxMessages: number;
  queueMaxBytes: number;
  /** Messages given to a handler at once. */
  batchMaxMessages: number;
  /** Deliveries of one message before it is parked; those that met an outage are not counted. */
  deliveryMaxAttempts: number;
  /** Pause after a failed delivery; doubled each time up to the maximum. */
  redeliveryMinMs: number;
  redeliveryMaxMs: number;
}

export const defaultBusLimits: BusLimits = {
  queueMaxMessages: 2_000,
  queueMaxBytes: 8 * MB,
  batchMaxMessages: 100,
  deliveryMaxAttempts: 8,
  redeliveryMinMs: 50,
  redeliveryMaxMs: 5_000,
};

/** Bounds of the bus over Kafka. */
export interface KafkaBusLimits extends BusLimits {
  /** One produce request carries at most so much, before compression; a larger message goes alone. */
  requestMaxMessages: number;
  requestMaxBytes: number;
  /** A larger message is refused: see `parkRefused`. Topics that the bus makes take a request of this size. */
  messageMaxBytes: number;
  /** Bytes in calls of `publish` that are not acknowledged; a call beyond is refused. One call alone may be larger. */
  pendingMaxBytes: number;
  connectionTimeoutMs: number;
  /** The broker has so long to answer; then the request is made again. */
  requestTimeoutMs: number;
  /** Pause after a request that failed; doubled each time up to the maximum. */
  retryMinMs: number;
  retryMaxMs: number;
  /** A member that says nothing for so long has lost its partitions. */
  sessionTimeoutMs: number;
  heartbeatIntervalMs: number;
  /** The broker answers a fetch after so long, though it has nothing. Also how long leaving may take. */
  fetchMaxWaitMs: number;
  fetchMaxBytesPerPartition: number;
  /** Between two commits of a group's offsets: what was handled in between comes again after a crash. */
  commitIntervalMs: number;
  /** Between two looks at the ends of the partitions, for the lag. */
  lagIntervalMs: number;
  /** What closing waits for, for handlers and for the broker each. */
  closeTimeoutMs: number;
}

export const defaultKafkaBusLimits: KafkaBusLimits = {
  ...defaultBusLimits,
  batchMaxMessages: 500,
  requestMaxMessages: 5_000,
  requestMaxBytes: 900 * KB,
  messageMaxBytes: 8 * MB,
  pendingMaxBytes: 64 * MB,
  connectionTimeoutMs: 3_000,
  requestTimeoutMs: 10_000,
  retryMinMs: 100,
  retryMaxMs: 1_000,
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 1_000,
  fetchMaxWaitMs: 100,
  fetchMaxBytesPerPartition: 1 * MB,
  commitIntervalMs: 250,
  lagIntervalMs: 5_000,
  closeTimeoutMs: 5_000,
};

/** Partitions of each topic. Ordering is per key, so more only adds concurrency within a group. */
export const defaultPartitions = 8;

/** Most partitions of a topic: each costs one queue per group. */
export const maxPartitions = 1_024;

/** Bytes of the event log that are read at once when its last positions are looked up. */
export const fileReadBytes = 1 * MB;

/** An event is smaller by far, as payloads above 64 KiB are stored apart: a longer line is no event. */
export const fileMaxLineBytes = 16 * MB;

/** Characters of an error that the poison table keeps: enough for a stack, too little for a payload in a message. */
export const poisonErrorMaxCharacters = 8_192;

/** Rows that one look into the poison table gives. */
export const poisonPageMaxRows = 1_000;

/** Characters of an error in a summary of the poison table. */
export const poisonSummaryErrorMaxCharacters = 500;
