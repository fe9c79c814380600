import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@heddle/store";
import { createTestDatabase, type TestDatabase, type TestServer } from "@heddle/testing";
import { afterEach } from "vitest";
import {
  createJournalRuntime,
  createPublisher,
  type JournalEntry,
  type JournalLimits,
  type JournalRuntime,
  type JournalRuntimeOptions,
  journalMigrations,
  type Publisher,
  type PublisherLimits,
} from "../src/index.ts";
import { createProxy, type Proxy } from "./proxy.ts";
import {
  createTallyProjection,
  createTallyType,
  type Tally,
  type TallyCommand,
  type TallyEvent,
  type TallyOptions,
  tallyMigration,
} from "./tally.ts";

export type TallyRuntime = JournalRuntime<Tally, TallyCommand>;
export type Reply = { seq: number; sum: number };

export interface RuntimeOverrides extends TallyOptions {
  owner?: string;
  /** Hears nothing of what others do until it looks by itself. */
  deaf?: boolean;
  limits?: Partial<JournalLimits>;
  partitions?: number;
  now?: () => number;
  onCommitted?: JournalRuntimeOptions<Tally, TallyCommand, TallyEvent>["onCommitted"];
  onLost?: JournalRuntimeOptions<Tally, TallyCommand, TallyEvent>["onLost"];
  onAcquired?: JournalRuntimeOptions<Tally, TallyCommand, TallyEvent>["onAcquired"];
  onSuperseded?: (error: Error) => void;
  /** Called in the transaction of each projection, before it writes. */
  onProjecting?: () => void | Promise<void>;
  /** Called with the ids that are looked up in the projection. */
  onLoading?: (ids: readonly string[]) => void;
}

export interface Fixture {
  testDatabase: TestDatabase;
  database: Database;
  /** Everything that was logged, as `level: message`. */
  logs: string[];
  create(overrides?: RuntimeOverrides): Promise<TallyRuntime>;
  start(overrides?: RuntimeOverrides): Promise<TallyRuntime>;
  /** As if its process had been killed: from now on nothing of it reaches the database. */
  kill(runtime: TallyRuntime): void;
  /** The wire between a runtime and the database. */
  proxyOf(runtime: TallyRuntime): Proxy;
  publisher(
    runtime: TallyRuntime,
    publish: (entries: readonly JournalEntry[]) => Promise<void>,
    options?: { name?: string; limits?: Partial<PublisherLimits> },
  ): Publisher;
}

/** Never flushes the projection by itself within a test. */
export const noProjection: Partial<JournalLimits> = { projectionIntervalMs: 3_600_000 };
/** A lease short enough to run out within a test. */
export const shortLease: Partial<JournalLimits> = {
  leaseDurationMs: 600,
  leaseRenewIntervalMs: 100,
  leaseSafetyMarginMs: 150,
};

/** A database and runtimes of the test's own; everything is stopped when the test ends. */
export async function createFixture(server: TestServer, options: { partitions?: number } = {}): Promise<Fixture> {
  const testDatabase = await createTestDatabase({
    schema: "tally",
    migrations: [...journalMigrations(options.partitions), tallyMigration],
    server,
  });
  const { database } = testDatabase;
  const logs: string[] = [];
  const log =
    (level: string) =>
    (fields: object, message: string): void => {
      const { err } = fields as { err?: Error };
      logs.push(`${level}: ${message}${err ? ` (${err.message})` : ""}`);
    };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const runtimes = new Map<TallyRuntime, Proxy>();
  const publishers: Publisher[] = [];

  const create = async (overrides: RuntimeOverrides = {}): Promise<TallyRuntime> => {
    const proxy = await createProxy(testDatabase.url);
    if (overrides.deaf === true) proxy.deafen();
    const own = testDatabase.open({ url: proxy.url });
    const runtime = createJournalRuntime<Tally, TallyCommand, TallyEvent, string>({
      database: own,
      owner: overrides.owner ?? "a",
      aggregate: createTallyType(overrides),
      projection: createTallyProjection(own, overrides),
      partitions: options.partitions,
      logger,
      limits: { projectionIntervalMs: 20, takeoverGraceMs: 200, ...overrides.limits },
      now: overrides.now,
      onCommitted: overrides.onCommitted,
      onLost: overrides.onLost,
      onAcquired: overrides.onAcquired,
      onSuperseded: overrides.onSuperseded,
    });
    runtimes.set(runtime, proxy);
    return runtime;
  };

  afterEach(async () => {
    for (const publisher of publishers) await publisher.stop();
    await Promise.all([...runtimes.keys()].map((runtime) => runtime.stop()));
    await testDatabase.drop();
    for (const proxy of runtimes.values()) await proxy.close();
  });

  return {
    testDatabase,
    database,
    logs,
    create,
    async start(overrides) {
      const runtime = await create(overrides);
      await runtime.start();
      return runtime;
    },
    kill(runtime) {
      runtimes.get(runtime)?.cut();
      // Its commands must end in a refusal; that it cannot reach the database is noticed while the test goes on.
      void runtime.stop();
    },
    proxyOf: (runtime) => runtimes.get(runtime) as Proxy,
    publisher(runtime, publish, extra = {}) {
      const publisher = createPublisher(
        { runtime, database },
        { name: extra.name ?? "test", publish, limits: extra.limits, logger },
      );
      publishers.push(publisher);
      return publisher;
    },
  };
}

export async function add(runtime: TallyRuntime, id: string, value: number): Promise<Reply> {
  return (await runtime.submit(id, { kind: "add", value })) as Reply;
}

/** The seqs in the journal by aggregate, as they are stored; throws where a partition's chain of entries has a gap. */
export async function readAll(runtime: TallyRuntime): Promise<Map<string, number[]>> {
  const seqs = new Map<string, number[]>();
  const last = new Map<number, number>();
  const partitions = sequence(64).map((n) => n - 1);
  for (let after = 0, isFull = true; isFull; ) {
    const page = await runtime.readJournal(partitions, after, 100);
    for (const { partition, offset, previousOffset, records } of page.entries) {
      if (previousOffset !== (last.get(partition) ?? 0)) {
        throw new Error(
          `partition ${partition}: entry ${offset} follows ${previousOffset}, read was ${last.get(partition)}`,
        );
      }
      last.set(partition, offset);
      for (const { id, seq } of records) seqs.set(id, [...(seqs.get(id) ?? []), seq]);
    }
    after = page.readOffset;
    ({ isFull } = page);
  }
  return seqs;
}

/** Polls until the check holds: for what another process, a timer or the flusher brings about. */
export async function until(check: () => boolean | Promise<boolean>, what: string, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(5);
  }
}

export function sequence(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}
