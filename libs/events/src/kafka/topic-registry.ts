import { DomainError } from "@heddle/errors";
import type { Admin } from "kafkajs";
import type { KafkaBusLimits } from "../limits.ts";
import type { KafkaClient } from "./kafka-client.ts";
import type { BusLogger } from "../bus-log.ts";
import type { TopicConfig } from "./topic-config.ts";

/** Makes topics where they are missing, and answers what the broker knows of topics and groups. */
export interface TopicRegistry {
  /** True when all of them are known to exist: nothing to wait for. */
  knows(topics: Iterable<string>): boolean;
  /** Waits through outages. Rejects with `failed_precondition` when a topic is missing and cannot be made. */
  ensure(topics: readonly string[]): Promise<void>;
  /** Looks again, as topics can be deleted. */
  forget(topics: Iterable<string>): void;
  /** Offset behind the last message of each partition. */
  endOffsets(topic: string): Promise<Map<number, number>>;
  /** The next offset of each partition that the group would get; without those that it never committed. */
  committedOffsets(group: string, topic: string): Promise<Map<number, number>>;
  /** False when the group has members, or is not there. */
  deleteGroup(group: string): Promise<boolean>;
  close(): void;
}

export interface TopicRegistryOptions {
  client: KafkaClient;
  topics: readonly TopicConfig[];
  logger: BusLogger;
  limits: Pick<KafkaBusLimits, "messageMaxBytes">;
}

const LEADER_POLL_MS = 10;
const LEADER_TIMEOUT_MS = 30_000;
/** What a batch of one message needs beside it. */
const BATCH_OVERHEAD_BYTES = 1_024;

export function createTopicRegistry({ client, topics, logger, limits }: TopicRegistryOptions): TopicRegistry {
  const configs = new Map(topics.map((config) => [config.name, config]));
  const known = new Set<string>();
  let connecting: Promise<Admin> | undefined;
  let ensuring: Promise<void> = Promise.resolve();

  function connected(): Promise<Admin> {
    connecting ??= (async () => {
      const admin = client.kafka.admin({ retry: client.retry });
      try {
        await admin.connect();
      } catch (error) {
        connecting = undefined;
        throw error;
      }
      return admin;
    })();
    return connecting;
  }

  async function look(wanted: readonly string[]): Promise<void> {
    const unknown = [...new Set(wanted)].filter((name) => !known.has(name));
    if (unknown.length === 0) return;
    const admin = await connected();
    // Of a missing topic kafkajs would ask for many seconds; the list of all names costs one answer.
    const existing = new Set(await admin.listTopics());
    const missing = unknown.filter((name) => !existing.has(name));
    if (missing.length > 0) await make(admin, missing);
    await compare(
      admin,
      unknown.filter((name) => existing.has(name)),
    );
    for (const name of unknown) known.add(name);
  }

  async function make(admin: Admin, names: readonly string[]): Promise<void> {
    const wanted = names.map((name) => configs.get(name) ?? raiseUnknown(name));
    try {
      await admin.createTopics({
        // It waits longer than the topics need, and can fail although they are there.
        waitForLeaders: false,
        topics: wanted.map(({ name, partitions, replicationFactor, retentionMs, config }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries({
            "retention.ms": String(retentionMs),
            "max.message.bytes": String(limits.messageMaxBytes + BATCH_OVERHEAD_BYTES),
            ...config,
          }).map(([name_, value]) => ({ name: name_, value })),
        })),
      });
    } catch (error) {
      throw asRefusal(names, error);
    }
    await untilLed(admin, names);
    logger.info({ topics: names }, "made topics");
  }

  async function compare(admin: Admin, names: readonly string[]): Promise<void> {
    const configured = names.filter((name) => configs.has(name));
    if (configured.length === 0) return;
    const { topics: found } = await admin.fetchTopicMetadata({ topics: configured });
    for (const { name, partitions } of found) {
      const wanted = configs.get(name)?.partitions;
      if (wanted !== undefined && wanted !== partitions.length) {
        logger.warn(
          { topic: name, partitions: partitions.length, configured: wanted },
          "the topic has another number of partitions than configured and is used as it is; to change it, let publishers and consumers drain first",
        );
      }
    }
  }

  return {
    knows(names) {
      for (const name of names) if (!known.has(name)) return false;
      return true;
    },
    ensure(names) {
      const result = ensuring.then(() => look(names));
      ensuring = result.catch(ignore);
      return result;
    },
    forget(names) {
      for (const name of names) known.delete(name);
    },
    async endOffsets(topic) {
      const offsets = await (await connected()).fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
    },
    async committedOffsets(group, topic) {
      const [found] = await (await connected()).fetchOffsets({ groupId: group, topics: [topic] });
      const offsets = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const);
      return new Map(offsets.filter(([, offset]) => offset >= 0));
    },
    async deleteGroup(group) {
      try {
        await (await connected()).deleteGroups([group]);
        return true;
      } catch (error) {
        logger.debug({ err: error, group }, "the group was not deleted");
        return false;
      }
    },
    close: () => client.destroy(),
  };
}

/** A topic answers for some milliseconds after its creation that it is not there. */
async function untilLed(admin: Admin, names: readonly string[]): Promise<void> {
  const deadline = Date.now() + LEADER_TIMEOUT_MS;
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      const partitions = topics.flatMap((topic) => topic.partitions);
      if (topics.length === names.length && partitions.every(({ leader }) => leader >= 0)) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`no leader for ${names.join(", ")} in ${LEADER_TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, LEADER_POLL_MS));
  }
}

function raiseUnknown(topic: string): never {
  throw new DomainError({
    kind: "failed_precondition",
    reason: "TOPIC_NOT_CONFIGURED",
    message: `topic ${topic} does not exist and is not among the topics of this bus; add it to the topics file, or make it on the broker`,
  });
}

function asRefusal(names: readonly string[], error: unknown): unknown {
  const { errors } = error as { errors?: { topic?: string; type?: string; message?: string; retriable?: boolean }[] };
  const refused = errors?.filter(({ type, retriable }) => type !== "TOPIC_ALREADY_EXISTS" && retriable !== true);
  if (refused === undefined || refused.length === 0) return error;
  const reasons = refused.map(({ topic, type, message }) => `${topic}: ${type} (${message})`);
  return new DomainError({
    kind: "failed_precondition",
    reason: "TOPIC_REFUSED",
    message: `the broker refused to make ${names.join(", ")}: ${reasons.join("; ")}; correct the topics file, or make them on the broker`,
    cause: error,
  });
}

function ignore(): void {}
