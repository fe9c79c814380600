import { setTimeout as sleep } from "node:timers/promises";
import { SHARDS } from "@heddle/shards";
import type { Database } from "@heddle/store";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSchedulerService, defaultLimits, schedulerMigrations } from "../src/index.ts";
import { createShardSet, type ShardSet } from "../src/shards/shard-set.ts";
import { monotonicClock } from "../src/turn.ts";
import { logger } from "./harness.ts";

/** A way to the database that can be cut: as a replica without network has it. */
interface Line {
  database: Database;
  cut(): Promise<void>;
  restore(): void;
}

let test: TestDatabase;
let lines = 0;
const running = new Set<ShardSet>();
beforeEach(async () => {
  test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
});
afterEach(async () => {
  await Promise.all([...running].map((shards) => shards.stop()));
  running.clear();
  await test.drop();
});

function openLine(): Line {
  const inner = test.database;
  const applicationName = `line-${(lines += 1)}`;
  let isCut = false;
  return {
    database: {
      ...inner,
      connect: () => (isCut ? Promise.reject(new Error("the line is cut")) : inner.connect({ applicationName })),
    },
    async cut() {
      isCut = true;
      await inner.query({
        text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        values: [applicationName],
      });
    },
    restore() {
      isCut = false;
    },
  };
}

function create(owner: string, database: Database = test.database): ShardSet {
  const shards = createShardSet({
    database,
    nextEpoch: undefined,
    owner,
    address: `http://${owner}:1`,
    dial: undefined,
    limits: defaultLimits,
    clock: monotonicClock,
    logger,
    metrics: undefined,
  });
  running.add(shards);
  return shards;
}

async function start(owner: string, database?: Database): Promise<ShardSet> {
  const shards = create(owner, database);
  await shards.start();
  return shards;
}

async function stop(shards: ShardSet): Promise<void> {
  running.delete(shards);
  await shards.stop();
}

/** Asks until it holds; the limit of the test's time is the limit of its patience. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

const countOf = (shards: ShardSet): number => shards.ownedShards().length;

function epochsOf(shards: ShardSet): Map<number, bigint | undefined> {
  return new Map(shards.ownedShards().map((shard) => [shard, shards.findEpoch(shard)]));
}

it("gives one replica all shards at once, and two half of them each, none to both", async () => {
  const a = await start("a");
  expect(countOf(a)).toBe(SHARDS);
  const alone = epochsOf(a);
  const b = await start("b");
  await until(() => countOf(a) === SHARDS / 2 && countOf(b) === SHARDS / 2);
  expect(new Set([...a.ownedShards(), ...b.ownedShards()]).size).toBe(SHARDS);
  for (const [shard, epoch] of epochsOf(b)) expect(epoch).toBe((alone.get(shard) ?? 0n) + 1n);
  for (const [shard, epoch] of epochsOf(a)) expect(epoch).toBe(alone.get(shard));
});

it("hands the shards of one that leaves to the other", async () => {
  const a = await start("a");
  const b = await start("b");
  await until(() => countOf(b) === SHARDS / 2);
  await stop(a);
  await until(() => countOf(b) === SHARDS);
});

it("takes the shards of one that was cut off, which has stopped by itself before", async () => {
  const line = openLine();
  const a = await start("a", line.database);
  const b = await start("b");
  await until(() => countOf(a) === SHARDS / 2 && countOf(b) === SHARDS / 2);
  const before = epochsOf(a);
  let bothOwned = false;
  b.onChange(() => {
    if (countOf(b) > SHARDS / 2) bothOwned ||= countOf(a) > 0;
  });
  await line.cut();
  await until(() => countOf(b) === SHARDS);
  expect(bothOwned).toBe(false);
  expect(countOf(a)).toBe(0);
  for (const [shard, epoch] of before) expect(b.findEpoch(shard)).toBe((epoch ?? 0n) + 1n);
  line.restore();
  await until(() => countOf(a) === SHARDS / 2 && countOf(b) === SHARDS / 2);
});

it("gives a restarted replica its own shards back at once, with higher epochs, and leaves the older run none", async () => {
  const older = await start("a");
  const before = epochsOf(older);
  const newer = await start("a");
  expect(countOf(newer)).toBe(SHARDS);
  for (const [shard, epoch] of epochsOf(newer)) expect(epoch).toBe((before.get(shard) ?? 0n) + 1n);
  await until(() => countOf(older) === 0);
  await sleep(2 * defaultLimits.ownerRenewIntervalMs);
  expect([countOf(older), countOf(newer)]).toEqual([0, SHARDS]);
});

it("owns nothing while the database is out, and goes on as before when nobody took over", async () => {
  const line = openLine();
  const a = await start("a", line.database);
  const before = epochsOf(a);
  const states = [...a.contexts()].map(({ state }) => state);
  await line.cut();
  await until(() => countOf(a) === 0);
  expect([...a.contexts()].some((context) => context.maySend())).toBe(false);
  await sleep(defaultLimits.ownerLeaseMs);
  line.restore();
  await until(() => countOf(a) === SHARDS);
  expect(epochsOf(a)).toEqual(before);
  expect([...a.contexts()].map(({ state }) => state)).toEqual(states);
});

it("moves nothing when all were cut off for as long", async () => {
  const [lineA, lineB] = [openLine(), openLine()];
  const a = await start("a", lineA.database);
  const b = await start("b", lineB.database);
  await until(() => countOf(a) === SHARDS / 2 && countOf(b) === SHARDS / 2);
  const before = [epochsOf(a), epochsOf(b)];
  await Promise.all([lineA.cut(), lineB.cut()]);
  await sleep(2 * defaultLimits.ownerLeaseMs);
  expect([countOf(a), countOf(b)]).toEqual([0, 0]);
  lineA.restore();
  await until(() => countOf(a) === SHARDS / 2);
  lineB.restore();
  await until(() => countOf(b) === SHARDS / 2);
  expect([epochsOf(a), epochsOf(b)]).toEqual(before);
});

it("goes on above the epochs that all namespaces had in common before there were shards", async () => {
  const older = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations.slice(0, 1) });
  try {
    await older.database.query({ text: "insert into scheduler_epoch (only_row, epoch) values (true, 7)" });
    await older.database.migrate(schedulerMigrations);
    const a = create("a", older.database);
    await a.start();
    expect([...epochsOf(a).values()]).toEqual(Array(SHARDS).fill(8n));
    await stop(a);
  } finally {
    await older.drop();
  }
});

it("needs a database or a source of epochs", async () => {
  await expect(createSchedulerService({ logger }).start()).rejects.toThrow("needs `database`, or `epoch`");
});
