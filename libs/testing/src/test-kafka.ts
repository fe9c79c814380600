import { randomUUID } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import {
  createRunDirectory,
  endRun,
  endRunsOfTheDead,
  findKafkaRemedy,
  type KafkaBroker,
  type KafkaBrokerOptions,
  startKafkaBroker,
} from "@heddle/broker";
import { announceKafkaRun, givenKafkaBrokers, kafkaRunDirectory } from "./config.ts";

/** The Kafka that all test files of one run share. Topics are not created by themselves: see `uniqueTopic`. */
export interface TestKafka {
  /** What is missing here and how to get it: skip with this as the reason. Undefined when there is a broker to be had. */
  readonly skipReason?: string;
  /**
   * Resolves to `host:port` of each broker. The first call of a run starts it: 2 s, and half a minute more where Kafka has
   * to be fetched first.
   */
  brokers(): Promise<string[]>;
}

/**
 * Kafka for a test file: KAFKA_BROKERS when set, else one broker for the whole run, which its end stops.
 * ```ts
 * const kafka = testKafka();
 * beforeEach((context) => kafka.skipReason && context.skip(kafka.skipReason));
 * beforeAll(async () => { if (!kafka.skipReason) bus = createKafkaBus({ brokers: await kafka.brokers() }); });
 * ```
 */
export function testKafka(): TestKafka {
  const given = givenKafkaBrokers();
  if (given !== undefined) return { brokers: () => Promise.resolve(given) };
  const remedy = findKafkaRemedy();
  return {
    ...(remedy !== undefined && { skipReason: `${remedy}, or set KAFKA_BROKERS to a broker that runs already` }),
    async brokers() {
      const { address } = await startKafkaBroker({ dir: join(runDirectory(), "shared") });
      return [address];
    },
  };
}

/** Kafka for tests that stop, kill or pause it. */
export interface PrivateTestKafka {
  /** As of TestKafka. KAFKA_BROKERS is no help here: a broker that is given is not ours to kill. */
  readonly skipReason?: string;
  /** Starts a broker that nobody else uses. `purge()` it; the end of the run ends those that are left. */
  start(options?: Pick<KafkaBrokerOptions, "settings" | "secondListener">): Promise<KafkaBroker>;
}

/** Brokers of a test's own, from the same installation. */
export function privateTestKafka(): PrivateTestKafka {
  return {
    skipReason: findKafkaRemedy(),
    start: (options = {}) => startKafkaBroker({ dir: join(runDirectory(), `private-${randomUUID()}`), ...options }),
  };
}

/** A name that no other test uses, for a topic or a group: `orders-0197…`. Nobody needs to delete it. */
export function uniqueTopic(name: string): string {
  return `${name}-${randomUUID()}`;
}

/** For the start of a run: ends what killed runs have left, and tells the test processes where this run's brokers go. */
export async function beginKafkaRun(): Promise<void> {
  await endRunsOfTheDead(parent());
  announceKafkaRun(createRunDirectory(parent()));
}

/** For the end of a run. */
export async function endKafkaRun(): Promise<void> {
  const dir = kafkaRunDirectory();
  if (dir !== undefined) await endRun(dir);
}

function runDirectory(): string {
  const dir = kafkaRunDirectory();
  if (dir !== undefined) return dir;
  throw new Error(
    "no broker of a test run outside of one: tests with Kafka belong into <package>/test or test/, which run with @heddle/testing/global-setup",
  );
}

function parent(): string {
  return join(tmpdir(), `heddle-kafka-${userInfo().uid}`);
}
