import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { afterEach, expect, test } from "vitest";
import { createJournalRuntime, journalMigrations } from "../src/index.ts";
import { add, createFixture, readAll, type Reply, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";
import {
  createTallyProjection,
  createTallyType,
  type Tally,
  type TallyCommand,
  type TallyEvent,
  tallyMigration,
} from "./tally.ts";

describeOnServers("outage", (server) => {
  test("the answer to a commit is lost: the outcome is looked up, and nothing is appended twice", async () => {
    const { start, proxyOf } = await createFixture(server);
    const runtime = await start();
    const ids = Array.from({ length: 20 }, () => runtime.newId());
    await Promise.all(ids.map((id) => add(runtime, id, 1)));
    proxyOf(runtime).swallowAnswerTo("journal_append");
    const replies = await Promise.all(ids.map((id) => add(runtime, id, 2)));
    expect(replies).toEqual(ids.map(() => ({ seq: 2, sum: 3 })));
    expect(await add(runtime, ids[0] as string, 3)).toEqual({ seq: 3, sum: 6 });
    const stored = await readAll(runtime);
    for (const id of ids) expect(stored.get(id)).toEqual(sequence(id === ids[0] ? 3 : 2));
  });

  test("a process that does nothing for longer than a session may idle takes that for an outage, not for bad data", async () => {
    const { start, logs } = await createFixture(server);
    let isBusy = true;
    const runtime = await start({
      async onProjecting() {
        if (!isBusy) return;
        isBusy = false;
        const end = performance.now() + 1_500;
        while (performance.now() < end);
        // The news of the end of its session comes before its next statement.
        await sleep(100);
      },
    });
    const ids = Array.from({ length: 5 }, () => runtime.newId());
    await Promise.all(ids.map((id) => add(runtime, id, 1)));
    await until(() => runtime.metrics().unprojectedEvents === 0, "all are projected");
    expect(logs.join("\n")).not.toContain("was refused");
    expect(logs.join("\n")).not.toContain("cannot be projected");
  });

  test("a statement is lost with its connection: it is sent again", async () => {
    const { start, proxyOf, logs } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    proxyOf(runtime).loseStatement("journal_append");
    expect(await add(runtime, id, 2)).toEqual({ seq: 2, sum: 3 });
    expect(logs.join()).toContain("its outcome is looked up");
    expect((await readAll(runtime)).get(id)).toEqual([1, 2]);
  });

  test("a statement that arrives after its outcome was looked up writes nothing", async () => {
    const { start, proxyOf, database } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    const deliver = proxyOf(runtime).holdBack("journal_append");
    expect(await add(runtime, id, 2)).toEqual({ seq: 2, sum: 3 });
    await deliver();
    expect(await add(runtime, id, 3)).toEqual({ seq: 3, sum: 6 });
    expect((await readAll(runtime)).get(id)).toEqual([1, 2, 3]);
    expect((await database.query({ text: "select from journal" })).rowCount).toBe(3);
  });

  test("the same when the time slot changed in between, where no primary key would refuse the second row", async () => {
    const { start, proxyOf, database } = await createFixture(server);
    const clock = { now: Date.UTC(2030, 0, 1) };
    const limits = { slotDurationMs: 3_600_000, slotMaintenanceIntervalMs: 3_600_000 };
    const runtime = await start({ now: () => clock.now, limits });
    const id = runtime.newId();
    await add(runtime, id, 1);
    const deliver = proxyOf(runtime).holdBack("journal_append");
    const pending = add(runtime, id, 2);
    // The first try still goes to the old slot; only the repetition looks at the clock again.
    clock.now += limits.slotDurationMs;
    expect(await pending).toEqual({ seq: 2, sum: 3 });
    await deliver();
    const { rows } = await database.query<{ slots: number; count: number }>({
      text: "select count(distinct slot)::int as slots, count(*)::int as count from journal",
    });
    expect(rows).toEqual([{ slots: 2, count: 2 }]);
    expect((await readAll(runtime)).get(id)).toEqual([1, 2]);
  });

  test("an administrator terminates every connection, again and again, under load", async () => {
    const { start, testDatabase } = await createFixture(server);
    const runtime = await start();
    const ids = Array.from({ length: 20 }, () => runtime.newId());
    let running = true;
    const work = ids.map(async (id) => {
      let seq = 0;
      while (running) {
        ({ seq } = (await runtime.submit(id, { kind: "add", value: 1 })) as Reply);
      }
      return seq;
    });
    for (let round = 0; round < 8; round++) {
      await until(() => runtime.metrics().events > (round + 1) * 100, "work goes on");
      await testDatabase.open().query({
        text: `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      });
    }
    running = false;
    const seqs = await Promise.all(work);
    // The read may meet a connection that has just been ended: it is told so, and asks again.
    const stored = await readAll(runtime).catch(() => readAll(runtime));
    ids.forEach((id, index) => expect(stored.get(id)).toEqual(sequence(seqs[index] as number)));
    expect(runtime.ownedPartitions()).toHaveLength(64);
  });

  test("no database for longer than the lease, and nobody took anything: memory is kept and nothing is refused", async () => {
    const { start, proxyOf } = await createFixture(server);
    const lost: number[] = [];
    const limits = { leaseDurationMs: 500, leaseSafetyMarginMs: 100, leaseRenewIntervalMs: 100 };
    const runtime = await start({ limits, onLost: (partition) => lost.push(partition) });
    const id = runtime.newId();
    await add(runtime, id, 1);
    proxyOf(runtime).cut();
    const pending = sequence(10).map(() => add(runtime, id, 1));
    await sleep(1_200);
    const read = runtime.read(id);
    proxyOf(runtime).mend();
    expect((await Promise.all(pending)).map((reply) => reply.seq)).toEqual(sequence(11).slice(1));
    expect((await read)?.seq).toBe(11);
    expect(lost).toEqual([]);
    expect((await readAll(runtime)).get(id)).toEqual(sequence(11));
  });

  test("the answer to a commit is lost in an outage longer than the lease: its real outcome is found", async () => {
    const { start, proxyOf } = await createFixture(server);
    const limits = { leaseDurationMs: 500, leaseSafetyMarginMs: 100, leaseRenewIntervalMs: 100 };
    const runtime = await start({ limits });
    const id = runtime.newId();
    await add(runtime, id, 1);
    const { swallowAnswerTo, cut, mend } = proxyOf(runtime);
    swallowAnswerTo("journal_append", cut);
    const pending = add(runtime, id, 2);
    await sleep(1_200);
    mend();
    expect(await pending).toEqual({ seq: 2, sum: 3 });
    expect((await readAll(runtime)).get(id)).toEqual([1, 2]);
  });

  test("another process took over during the outage: what was pending has its real outcome, and memory is dropped", async () => {
    const { start, proxyOf } = await createFixture(server);
    const limits = { leaseDurationMs: 500, leaseSafetyMarginMs: 100, leaseRenewIntervalMs: 100 };
    const cutOff = await start({ owner: "cut-off", limits });
    const heir = await start({ owner: "heir", limits });
    await until(() => heir.ownedPartitions().length === 32 && cutOff.ownedPartitions().length === 32, "they share");
    const [committed, pending] = [0, 1].map(() => cutOff.newId()) as [string, string];
    await add(cutOff, committed, 1);
    await add(cutOff, pending, 1);
    // The first of the two is committed, and its answer is lost; the second waits behind it.
    proxyOf(cutOff).swallowAnswerTo("journal_append", proxyOf(cutOff).cut);
    const first = add(cutOff, committed, 2);
    await until(async () => (await readAll(heir)).get(committed)?.length === 2, "the first is committed");
    const second = add(cutOff, pending, 2).catch((error: unknown) => error);
    await until(() => heir.ownedPartitions().length === 64, "the heir has everything");
    expect(await add(heir, pending, 3)).toEqual({ seq: 2, sum: 4 });
    proxyOf(cutOff).mend();
    expect(await first).toEqual({ seq: 2, sum: 3 });
    expect(await second).toMatchObject({ kind: "unavailable" });
    await until(() => heir.ownedPartitions().length === 32, "they share again");
    const stored = await readAll(heir);
    expect([stored.get(committed), stored.get(pending)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("a short outage is sat out: nothing is refused", async () => {
    const { start, proxyOf } = await createFixture(server);
    const runtime = await start({ limits: { leaseDurationMs: 10_000 } });
    const id = runtime.newId();
    await add(runtime, id, 1);
    proxyOf(runtime).cut();
    const pending = sequence(10).map(() => add(runtime, id, 1));
    setTimeout(() => proxyOf(runtime).mend(), 300);
    expect((await Promise.all(pending)).map((reply) => reply.seq)).toEqual(sequence(11).slice(1));
  });
});

/** A runtime on a server of the test's own, which may be stopped and killed. */
async function ownServer(cleanup: (() => Promise<void>)[]) {
  const dataDir = mkdtempSync(join(tmpdir(), "heddle-outage-"));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const database = openDatabase({ url: postgres.url, schema: "tally" });
  await database.migrate([...journalMigrations(), tallyMigration]);
  const runtime = createJournalRuntime<Tally, TallyCommand, TallyEvent, string>({
    database,
    owner: "a",
    aggregate: createTallyType(),
    projection: createTallyProjection(database),
    limits: { projectionIntervalMs: 20 },
  });
  cleanup.push(async () => {
    await runtime.stop();
    await database.close();
    await (await startEmbeddedPostgres({ dataDir })).stop();
    for (const path of [postgres.dataPath, dataDir]) rmSync(path, { recursive: true, force: true });
  });
  await runtime.start();
  return { dataDir, postgres, database, runtime };
}

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0)) await step();
});

test.each(["stopped", "killed"] as const)("the server is %s and started again under load", async (how) => {
  const { dataDir, postgres, runtime } = await ownServer(cleanup);
  const ids = Array.from({ length: 20 }, () => runtime.newId());
  let running = true;
  const work = ids.map(async (id) => {
    let seq = 0;
    while (running) ({ seq } = (await runtime.submit(id, { kind: "add", value: 1 })) as Reply);
    return seq;
  });
  await until(() => runtime.metrics().events > 200, "work goes on");
  if (how === "stopped") await postgres.stop();
  else process.kill(postgres.pid, "SIGKILL");
  const again = await startEmbeddedPostgres({ dataDir });
  expect(again.port).toBe(postgres.port);
  const before = runtime.metrics().events;
  await until(() => runtime.metrics().events > before + 200, "work goes on after the restart");
  running = false;
  const seqs = await Promise.all(work);
  const stored = await readAll(runtime);
  ids.forEach((id, index) => expect(stored.get(id)).toEqual(sequence(seqs[index] as number)));
});
