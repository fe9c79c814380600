import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import { closedError } from "../closed-error.ts";
import type { ParkPoison } from "../event-bus.ts";
import type { EventMessage } from "../event-message.ts";
import type { KafkaBusLimits } from "../limits.ts";
import type { BusMetrics } from "./bus-metrics.ts";
import { settlesWithin, whenAborted } from "./deadline.ts";
import type { IdempotentSender } from "./idempotent-sender.ts";
import type { BusLogger } from "../bus-log.ts";
import { measureMessage } from "./kafka-message.ts";
import { createPublishQueue, type PendingBatch, type PendingMessage } from "./publish-queue.ts";
import { classifySendFailure } from "./send-failure.ts";
import type { TopicRegistry } from "./topic-registry.ts";

export interface KafkaPublisher {
  publish(batch: readonly EventMessage[]): Promise<void>;
  /** Rejects the calls under way; gives a request under way the time to end, unless the broker is out of reach. */
  close(): Promise<void>;
}

export interface KafkaPublisherOptions {
  sender: IdempotentSender;
  topics: Pick<TopicRegistry, "knows" | "ensure" | "forget">;
  parkRefused: ParkPoison | undefined;
  metrics: BusMetrics;
  logger: BusLogger;
  limits: KafkaBusLimits;
}

/** The group that refused messages are parked for. */
const PUBLISHER_GROUP = "publisher";
/** After so long without an acknowledgement it is worth a line in the log, and a look whether the topics are there. */
const REPORT_AFTER_MS = 10_000;

/**
 * Sends what it is given in order, one request at a time: a request that is under way while another one fails is what
 * makes kafkajs acknowledge messages that were never written. What is not acknowledged is repeated as it was, for as
 * long as it takes, so an outage shows as a `publish` that takes long.
 */
export function createKafkaPublisher(options: KafkaPublisherOptions): KafkaPublisher {
  const { sender, topics, parkRefused, metrics, logger, limits } = options;
  const queue = createPublishQueue();
  const bounds = {
    maxMessages: limits.requestMaxMessages,
    // So that a message that is refused for its size is always the only one of its request.
    maxBytes: Math.min(limits.requestMaxBytes, limits.messageMaxBytes),
  };
  const closing = new AbortController();
  const untilClosing = whenAborted(closing.signal);
  let running: Promise<void> | undefined;
  let failing = false;

  function wake(): void {
    running ??= run().finally(() => {
      running = undefined;
      if (!isClosed() && queue.waiting()[Symbol.iterator]().next().done !== true) wake();
    });
  }

  const isClosed = (): boolean => closing.signal.aborted;

  async function run(): Promise<void> {
    while (!isClosed()) {
      await prepare();
      const messages = queue.take(bounds);
      if (messages.length === 0) return;
      await send(messages);
    }
  }

  /** Topics are looked for in the order of the calls too, so that none overtakes another. */
  async function prepare(): Promise<void> {
    for (const batch of queue.waiting()) {
      if (topics.knows(batch.topics)) continue;
      await persist(async () => {
        try {
          await Promise.race([topics.ensure([...batch.topics]), untilClosing]);
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          queue.fail(batch, error);
        }
      }, batch.messages.length);
    }
  }

  async function send(messages: readonly PendingMessage[]): Promise<void> {
    let left = messages;
    await persist(
      async () => {
        while (left.length > 0) {
          const first = left[0] as PendingMessage;
          try {
            left = first.bytes > limits.messageMaxBytes ? await refuse(left) : await sendOnce(left);
          } catch (error) {
            switch (classifySendFailure(error)) {
              case "again":
                break;
              case "new-producer":
                sender.renew();
                break;
              case "too-large":
                sender.renew();
                left = await sendInParts(left);
                continue;
            }
            throw error;
          }
        }
      },
      messages.length,
      () => lookForTopics(left),
    );
  }

  /** A topic can be deleted while its messages wait: then it is made again. */
  function lookForTopics(messages: readonly PendingMessage[]): void {
    const names = [...new Set(messages.map(({ message }) => message.topic))];
    topics.forget(names);
    topics.ensure(names).catch((error: unknown) => logger.debug({ err: error, topics: names }, "topics not found"));
  }

  /** Gives what is still to be sent. */
  async function sendOnce(messages: readonly PendingMessage[]): Promise<readonly PendingMessage[]> {
    const unanswered = await sender.send(messages);
    const lost = new Set(unanswered);
    const written = unanswered.length === 0 ? messages : messages.filter((message) => !lost.has(message));
    queue.settle(written);
    countByTopic(written);
    return unanswered;
  }

  /** The limit of a topic is known by trying only. In halves, and so still in order. */
  async function sendInParts(messages: readonly PendingMessage[]): Promise<readonly PendingMessage[]> {
    if (messages.length === 1) return await refuse(messages);
    const middle = messages.length >> 1;
    await send(messages.slice(0, middle));
    return messages.slice(middle);
  }

  /** The first message can never be sent. Those behind it go on, or with it back to their caller. */
  async function refuse([message, ...rest]: readonly PendingMessage[]): Promise<readonly PendingMessage[]> {
    if (message === undefined) return rest;
    const error = tooLargeError(message, limits.messageMaxBytes);
    metrics.refused(message.message.topic);
    logger.error({ err: error, parked: parkRefused !== undefined }, "an event cannot be published");
    if (parkRefused === undefined) {
      queue.fail(message.batch, error);
      return rest.filter(({ batch }) => batch !== message.batch);
    }
    try {
      await parkRefused({ group: PUBLISHER_GROUP, message: message.message, partition: -1, attempts: 1, error });
      queue.settle([message]);
      return rest;
    } catch (cause) {
      queue.fail(message.batch, new Error(`${error.message}; and it could not be parked`, { cause }));
      return rest.filter(({ batch }) => batch !== message.batch);
    }
  }

  /** Repeats until it works or the bus closes. */
  async function persist(work: () => Promise<void>, messages: number, onWaiting?: () => void): Promise<void> {
    const startedAt = Date.now();
    let reportAt = startedAt + REPORT_AFTER_MS;
    let pauseMs = limits.retryMinMs;
    while (!isClosed()) {
      try {
        await work();
        if (failing && Date.now() - startedAt > REPORT_AFTER_MS)
          logger.info({ messages, waitedMs: Date.now() - startedAt }, "events are published again");
        failing = false;
        return;
      } catch (error) {
        if (isClosed()) return;
        failing = true;
        metrics.publishRetried();
        if (Date.now() >= reportAt) {
          reportAt = Date.now() + REPORT_AFTER_MS;
          const waitedMs = Date.now() - startedAt;
          logger.warn({ err: error, messages, waitedMs }, "events wait for the broker; they are sent again");
          onWaiting?.();
        }
        await sleep(pauseMs, undefined, { signal: closing.signal }).catch(ignore);
        pauseMs = Math.min(pauseMs * 2, limits.retryMaxMs);
      }
    }
  }

  function countByTopic(messages: readonly PendingMessage[]): void {
    const counts = new Map<string, number>();
    for (const { message } of messages) counts.set(message.topic, (counts.get(message.topic) ?? 0) + 1);
    for (const [topic, count] of counts) metrics.published(topic, count);
  }

  return {
    async publish(messages) {
      if (isClosed()) throw closedError();
      const sizes = messages.map(measureMessage);
      const bytes = sizes.reduce((total, size) => total + size, 0);
      if (queue.bytes > 0 && queue.bytes + bytes > limits.pendingMaxBytes) throw pendingError(queue.bytes);
      const batch: PendingBatch = { messages, sizes, topics: new Set(messages.map(({ topic }) => topic)) };
      for (const topic of batch.topics) metrics.publishes(topic);
      const done = queue.add(batch);
      wake();
      await done;
    },
    async close() {
      if (isClosed()) return;
      closing.abort();
      queue.failAll(closedError());
      const work = running ?? Promise.resolve();
      if (!failing)
        await settlesWithin(
          work.then(() => sender.close()),
          limits.closeTimeoutMs,
        );
      sender.destroy();
      await settlesWithin(work, limits.closeTimeoutMs);
    },
  };
}

function tooLargeError({ message, bytes }: PendingMessage, messageMaxBytes: number): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "EVENT_TOO_LARGE",
    message: `event ${message.headers.ce_id} takes ${bytes} bytes; the bus sends up to ${messageMaxBytes}, and topic ${message.topic} may take less (max.message.bytes): raise the limit, or give the bus parkRefused, so that events behind it go on`,
  });
}

function pendingError(bytes: number): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "EVENTS_PENDING",
    message: `${bytes} bytes of events wait for the broker already; publish one batch after the other, and keep the rest where it is stored`,
  });
}

function ignore(): void {}
