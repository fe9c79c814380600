/** Every bound and period of the scheduler; those on tasks and links hold for each shard. All can be set per service. */
export interface SchedulerLimits {
  /** A lease without a heartbeat ends after this long; workers are told to send one in a third of it. */
  leaseDurationMs: number;
  /** A worker that came back has this long to account for leases that it did not name as held. */
  reconnectGraceMs: number;
  /** After a shard was taken over, tasks of a sync wait this long, so that workers can name what they hold. */
  recoveryWindowMs: number;
  /** A task whose lease ended this many times without a result fails with `worker_lost`. */
  lossesMax: number;
  /** Waiting this long is worth one step of priority. */
  ageingStepMs: number;
  /** Tasks that run for this long are reported to watchers, once. */
  progressDelayMs: number;
  /** Time-outs and ends of leases are noticed at most this late, and never early. */
  timerResolutionMs: number;
  /** Tasks whose owner is gone are kept this long for the next one. */
  orphanDurationMs: number;
  /** With this many tasks waiting or unacknowledged, links are read slowly. */
  linkSlowdownTasks: number;
  /** Longest pause between two frames of a link that is read slowly: acknowledgements and cancels must get through. */
  linkPauseMs: number;
  /** With this many tasks in all, a link that brings more is closed with QUEUE_FULL. */
  tasksMax: number;
  /** What the owner of a link that was closed with QUEUE_FULL is told to wait. */
  queueFullRetryAfterMs: number;
  /** Results, and running tasks that workers named, which wait for the owner of their partition to say whether it wants them. */
  unconfirmedTasksMax: number;
  /** Workers that one namespace may have connected. */
  workersPerNamespaceMax: number;
  /** Results that a link has out without acknowledgement; further ones wait. */
  unacknowledgedResultsMax: number;
  /** Refusals and cancels that a worker has not read; one more ends its stream. */
  unreadNoticesMax: number;
  /** Idle queues that are kept for reuse, in each namespace; as many idle namespaces are. */
  idleQueuesMax: number;
  /** A replica without a renewal loses its shards after this long. */
  ownerLeaseMs: number;
  /** It stops to send this much earlier by its own clock: what it sent last must have arrived. */
  ownerLeaseMarginMs: number;
  ownerRenewIntervalMs: number;
  /** After a renewal that failed. */
  ownerRetryIntervalMs: number;
  /** While streams wait for the owner of a shard, the record is looked at this often. */
  ownerLookIntervalMs: number;
  /** A stream for a shard between two owners is kept waiting for this long, then refused. */
  ownerWaitMaxMs: number;
  /** An owner whose lease has less than this left is late: streams wait for what comes of it, and are not sent there. */
  ownerFreshMs: number;
  /** Streams of a replica whose lease has run out are ended after this long; a short outage of the database ends none. */
  streamsKeptWithoutLeaseMs: number;
  /** How often a link that has nothing to say shows that this replica lives. */
  linkPulseIntervalMs: number;
  /** One frame holds at most this many tasks or results … */
  frameMaxItems: number;
  /** … and stops growing at this many characters of payload: clients in other languages refuse messages above 4 MB. */
  framePayloadChars: number;
}

export const defaultLimits: Readonly<SchedulerLimits> = {
  leaseDurationMs: 10_000,
  reconnectGraceMs: 1_000,
  recoveryWindowMs: 600,
  lossesMax: 5,
  ageingStepMs: 30_000,
  progressDelayMs: 100,
  timerResolutionMs: 20,
  orphanDurationMs: 600_000,
  linkSlowdownTasks: 200_000,
  linkPauseMs: 100,
  tasksMax: 1_000_000,
  queueFullRetryAfterMs: 5_000,
  unconfirmedTasksMax: 200_000,
  workersPerNamespaceMax: 5_000,
  unacknowledgedResultsMax: 100_000,
  unreadNoticesMax: 100_000,
  idleQueuesMax: 1_000,
  ownerLeaseMs: 1_800,
  ownerLeaseMarginMs: 300,
  ownerRenewIntervalMs: 400,
  ownerRetryIntervalMs: 100,
  ownerLookIntervalMs: 50,
  ownerWaitMaxMs: 2_500,
  ownerFreshMs: 800,
  streamsKeptWithoutLeaseMs: 5_000,
  linkPulseIntervalMs: 400,
  frameMaxItems: 1_000,
  framePayloadChars: 512 * 1024,
};
