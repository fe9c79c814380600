const MB = 1024 * 1024;

/** Bounds of the memory bus. All can be set per bus. */
export interface BusLimits {
  /** Messages and bytes that one group may have waiting in one partition; `publish` waits beyond (one larger message is let in alone). */
  queueMaxMessages: number;
  queueMaxBytes: number;
  /** Messages given to a handler at once. */
  batchMaxMessages: number;
  /** Deliveries of one message before it is parked. */
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

/** Partitions of each topic. Ordering is per key, so more only adds concurrency within a group. */
export const defaultPartitions = 8;

/** Most partitions of a topic: each costs one queue per group. */
export const maxPartitions = 1_024;

/** Bytes of the event log that are read at once when its last positions are looked up. */
export const fileReadBytes = 1 * MB;

/** An event is smaller by far, as payloads above 64 KiB are stored apart: a longer line is no event. */
export const fileMaxLineBytes = 16 * MB;
