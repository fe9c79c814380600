import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer, EachBatchPayload } from "kafkajs";
import type { SubscribeOptions, Subscription } from "../event-bus.ts";
import type { KafkaBusLimits } from "../limits.ts";
import { createMember } from "../member.ts";
import { createAssignedPartitions, type PartitionOffset } from "./assigned-partitions.ts";
import type { BusMetrics } from "./bus-metrics.ts";
import { settlesWithin, whenAborted } from "./deadline.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { type BusLogger, logPostponement } from "../bus-log.ts";
import { createOffsetCommitter } from "./offset-committer.ts";
import { watchForStall } from "./stall-watch.ts";
import type { TopicRegistry } from "./topic-registry.ts";

export interface KafkaSubscriptionOptions {
  createClient(): KafkaClient;
  topics: TopicRegistry;
  metrics: BusMetrics;
  /** Whether anybody reads the lag: it costs two requests per topic each time. */
  watchesLag: boolean;
  logger: BusLogger;
  limits: KafkaBusLimits;
}

/**
 * One member of a consumer group. kafkajs only fetches, joins and keeps the membership alive: batches go into lanes at
 * once, so that no handler, however slow or broken, holds up a heartbeat or reaches kafkajs with what it throws.
 * When kafkajs gives up, a new consumer takes its place.
 */
export function createKafkaSubscription(subscribed: SubscribeOptions, deps: KafkaSubscriptionOptions): Subscription {
  const { topics, metrics, limits } = deps;
  const { group, durable = true } = subscribed;
  const logger = deps.logger;
  metrics.consumes(group, subscribed.topics);
  const member = createMember(subscribed, { onParked: (topic) => metrics.parked(group, topic) });
  const closing = new AbortController();
  const untilClosing = whenAborted(closing.signal);
  let client: KafkaClient | undefined;
  let consumer: Consumer | undefined;
  /** Settles when kafkajs has joined, or failed to. */
  let joined: Promise<unknown> = Promise.resolve();
  let commitOnce: ((offsets: readonly PartitionOffset[]) => Promise<void>) | undefined;
  /** Where partitions begin that a group of onlookers never saw: at what was their end when it subscribed. */
  let beginnings: PartitionOffset[] = [];

  const committer = createOffsetCommitter({
    partitions: {
      uncommitted: () => partitions.uncommitted(),
      noteCommitted: (done) => partitions.noteCommitted(done),
    },
    intervalMs: limits.commitIntervalMs,
    commit: async (offsets) => {
      if (commitOnce === undefined) throw new Error("the consumer has not joined");
      await commitOnce(offsets);
    },
    onFailed: (error) => logger.debug({ err: error, group }, "offsets were not committed"),
  });
  const partitions = createAssignedPartitions({
    member,
    limits,
    onHandled: committer.wake,
    onFailedDelivery: (topic, messages) => metrics.redelivered(group, topic, messages),
    onPostponed(topic, partition, postponement) {
      metrics.postponed(group, topic);
      logPostponement(logger, { group, topic, partition }, postponement);
    },
    onSkipped: (topic, partition, from, to) =>
      logger.error(
        { group, topic, partition, from, to },
        "messages were deleted before this group got them: the topic's retention is shorter than the group was away",
      ),
  });
  const unwatchLag = metrics.watchLag(() =>
    [...partitions.lags()].map(({ topic, partition, lag }) => [{ group, topic, partition: String(partition) }, lag]),
  );
  const running = run();

  async function run(): Promise<void> {
    let pauseMs = limits.retryMinMs;
    while (!closing.signal.aborted) {
      const startedAt = Date.now();
      try {
        // What they wait for may be a broker that does not come.
        await Promise.race([topics.ensure(subscribed.topics), untilClosing]);
        if (!durable) beginnings = await Promise.race([findBeginnings(), untilClosing]);
        await consume();
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ err: error, group }, "the consumer broke down; a new one takes its place");
        metrics.consumerRestarted(group);
      }
      partitions.release();
      client?.destroy();
      if (Date.now() - startedAt > limits.sessionTimeoutMs) pauseMs = limits.retryMinMs;
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(ignore);
      pauseMs = Math.min(pauseMs * 2, limits.retryMaxMs);
    }
  }

  /** Rejects when the consumer is of no use any more, or nobody wants it. */
  async function consume(): Promise<void> {
    const breakdown = Promise.withResolvers<never>();
    client = deps.createClient();
    const joining = client.kafka.consumer({
      groupId: group,
      sessionTimeout: limits.sessionTimeoutMs,
      rebalanceTimeout: limits.sessionTimeoutMs,
      heartbeatInterval: limits.heartbeatIntervalMs,
      maxWaitTimeInMs: limits.fetchMaxWaitMs,
      maxBytesPerPartition: limits.fetchMaxBytesPerPartition,
      // It restarts after some errors and not after others; a new consumer of ours does after all.
      retry: { ...client.retry, restartOnFailure: async () => false },
    });
    consumer = joining;
    commitOnce = (offsets) => joining.commitOffsets(offsets.map(asText));
    const { events } = joining;
    joining.on(events.GROUP_JOIN, ({ payload }) => onJoined(joining, payload.memberId, payload.memberAssignment));
    // Before the group is joined anew the current generation still counts.
    joining.on(events.REBALANCING, () => void committer.flush());
    joining.on(events.CRASH, ({ payload }) => breakdown.reject(payload.error));
    const endStallWatch = watchForStall(joining, {
      silenceMaxMs: 6 * limits.sessionTimeoutMs,
      isBrokerThere: async () => void (await topics.endOffsets(subscribed.topics[0] as string)),
      onStall: (error) => breakdown.reject(error),
    });
    const endLagWatch = deps.watchesLag ? watchEnds() : ignore;
    try {
      joined = start(joining);
      await Promise.race([joined, breakdown.promise, untilClosing]);
      await Promise.race([breakdown.promise, untilClosing]);
    } finally {
      endStallWatch();
      endLagWatch();
    }
  }

  async function start(joining: Consumer): Promise<void> {
    await joining.connect();
    await joining.subscribe({ topics: [...subscribed.topics], fromBeginning: durable });
    await joining.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (given) => take(joining, given),
    });
  }

  function onJoined(joining: Consumer, memberId: string, assignment: Record<string, number[]>): void {
    const { kept, added } = partitions.assign(memberId, assignment);
    // kafkajs would fetch again what the lanes hold already.
    for (const { topic, partition, offset } of kept) joining.seek({ topic, partition, offset: String(offset) });
    // It keeps a pause over a time in which the partition was another member's.
    for (const { topic, partition } of added) joining.resume([{ topic, partitions: [partition] }]);
    const isNew = new Set(added.map(({ topic, partition }) => `${topic} ${partition}`));
    for (const beginning of beginnings) {
      if (!isNew.has(`${beginning.topic} ${beginning.partition}`)) continue;
      joining.seek({ ...beginning, offset: String(beginning.offset) });
      partitions.begin(beginning);
    }
    // From the next generation on somebody has committed them.
    beginnings = [];
    logger.info({ group, memberId, assignment }, "joined the group");
  }

  function take(joining: Consumer, { batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload): void {
    const { topic, partition, messages } = batch;
    const last = messages.at(-1);
    if (last === undefined) return;
    // Unlike the consumer's own commit this one is tried once, so that it never ends up in a later generation.
    commitOnce = async (offsets) => await commitOffsetsIfNecessary({ topics: byTopic(offsets) });
    const fetched = batch as typeof batch & { fetchedOffset: string };
    const acceptance = partitions.accept({
      topic,
      partition,
      messages,
      fetchedOffset: Number(fetched.fetchedOffset),
      nextOffset: Number(batch.lastOffset()) + 1,
      endOffset: Number(batch.highWatermark),
    });
    if (acceptance.kind === "foreign") return;
    if (acceptance.kind === "gap") {
      joining.seek({ topic, partition, offset: String(acceptance.offset) });
      return;
    }
    resolveOffset(last.offset);
    const { lane } = acceptance;
    if (!lane.isFull()) return;
    joining.pause([{ topic, partitions: [partition] }]);
    void lane.room().then(() => {
      // By then it may have stopped, and throws.
      if (consumer === joining && !closing.signal.aborted) joining.resume([{ topic, partitions: [partition] }]);
    });
  }

  async function findBeginnings(): Promise<PartitionOffset[]> {
    // Left over from a process that crashed: nobody's messages wait there.
    await topics.deleteGroup(group);
    const found: PartitionOffset[] = [];
    for (const topic of subscribed.topics) {
      const ends = await topics.endOffsets(topic);
      const committed = await topics.committedOffsets(group, topic);
      for (const [partition, offset] of ends) if (!committed.has(partition)) found.push({ topic, partition, offset });
    }
    return found;
  }

  function watchEnds(): () => void {
    let looking = false;
    const timer = setInterval(() => {
      if (looking) return;
      looking = true;
      void lookAtEnds()
        .catch((error: unknown) => logger.debug({ err: error, group }, "the lag is not known"))
        .finally(() => {
          looking = false;
        });
    }, limits.lagIntervalMs);
    return () => clearInterval(timer);
  }

  async function lookAtEnds(): Promise<void> {
    for (const topic of subscribed.topics) {
      partitions.noteEnds(topic, await topics.endOffsets(topic), await topics.committedOffsets(group, topic));
    }
  }

  async function leave(): Promise<void> {
    // Who leaves while it joins stays a member until its session ends, and its group stands still for so long.
    await joined.catch(ignore);
    if (consumer === undefined) return;
    await committer.flush();
    await consumer.disconnect();
    if (!durable) await topics.deleteGroup(group);
  }

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    closing.abort();
    unwatchLag();
    if (!(await settlesWithin(member.leave(), limits.closeTimeoutMs)))
      logger.warn({ group, waitedMs: limits.closeTimeoutMs }, "a handler goes on although its subscription is closed");
    await settlesWithin(leave(), limits.closeTimeoutMs);
    committer.stop();
    partitions.release();
    client?.destroy();
    await running;
  }

  return { close: () => (closed ??= close()) };
}

function asText({ topic, partition, offset }: PartitionOffset): { topic: string; partition: number; offset: string } {
  return { topic, partition, offset: String(offset) };
}

function byTopic(
  offsets: readonly PartitionOffset[],
): { topic: string; partitions: { partition: number; offset: string }[] }[] {
  const topics = Map.groupBy(offsets, ({ topic }) => topic);
  return [...topics].map(([topic, parts]) => ({
    topic,
    partitions: parts.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
  }));
}

function ignore(): void {}
