import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JournalEntry } from "../src/index.ts";
import { add, createFixture, noProjection, sequence, shortLease, type TallyRuntime, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

/** A topic: remembers what it was given, and complains when an aggregate's events skip or go back beyond a repetition. */
function createTopic() {
  const last = new Map<string, number>();
  const topic = {
    delivered: 0,
    repeated: 0,
    faults: [] as string[],
    last,
    take(entries: readonly JournalEntry[]) {
      for (const { records } of entries) {
        for (const { id, seq } of records) {
          topic.delivered++;
          const before = last.get(id) ?? 0;
          if (seq > before + 1) topic.faults.push(`${id}: ${seq} after ${before}`);
          if (seq <= before) topic.repeated++;
          last.set(id, Math.max(before, seq));
        }
      }
    },
  };
  return topic;
}

async function work(runtime: TallyRuntime, ids: readonly string[], rounds: number): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      for (const value of sequence(rounds)) await add(runtime, id, value);
    }),
  );
}

describeOnServers("publisher", (server) => {
  test("everything committed is published once and in order while all goes well", async () => {
    const { start, publisher, database } = await createFixture(server);
    const runtime = await start();
    const topic = createTopic();
    const subject = publisher(runtime, async (entries) => topic.take(entries));
    await subject.start();
    const ids = Array.from({ length: 50 }, () => runtime.newId());
    await work(runtime, ids, 20);
    await subject.drained();
    expect(topic).toMatchObject({ delivered: 1_000, repeated: 0, faults: [] });
    await subject.stop();
    const { rows } = await database.query<{ behind: number }>({
      text: `select count(*)::int as behind from journal j join publisher_cursors c
          on j.partitions & (1::bigint << c.partition) <> 0
        where j.journal_offset > c.journal_offset`,
    });
    expect(rows[0]?.behind).toBe(0);
  });

  test("what was committed before it started, or while it was away, is read from the database", async () => {
    const { start, publisher } = await createFixture(server);
    const runtime = await start({ limits: noProjection });
    const topic = createTopic();
    const ids = Array.from({ length: 20 }, () => runtime.newId());
    await work(runtime, ids, 10);
    const first = publisher(runtime, async (entries) => topic.take(entries), { limits: { batchMaxEvents: 7 } });
    await first.start();
    await first.drained();
    await first.stop();
    expect(topic).toMatchObject({ delivered: 200, repeated: 0, faults: [] });
    await work(runtime, ids, 10);
    const second = publisher(runtime, async (entries) => topic.take(entries));
    await second.start();
    await work(runtime, ids, 10);
    await second.drained();
    expect(topic).toMatchObject({ delivered: 600, repeated: 0, faults: [] });
    expect([...topic.last.values()]).toEqual(ids.map(() => 30));
  });

  test("failures of the broker repeat entries but never skip or swap any", async () => {
    const { start, publisher } = await createFixture(server);
    const runtime = await start();
    const topic = createTopic();
    let calls = 0;
    const subject = publisher(
      runtime,
      async (entries) => {
        calls++;
        // Every third call fails after it took a part, as a broker does.
        if (calls % 3 === 0) {
          topic.take(entries.slice(0, 1));
          throw new Error("the broker went away");
        }
        topic.take(entries);
      },
      { limits: { retryMinMs: 1, retryMaxMs: 5, batchMaxEvents: 50 } },
    );
    await subject.start();
    const ids = Array.from({ length: 30 }, () => runtime.newId());
    await work(runtime, ids, 20);
    await subject.drained();
    expect(topic.faults).toEqual([]);
    expect(topic.repeated).toBeGreaterThan(0);
    expect([...topic.last.values()]).toEqual(ids.map(() => 20));
  });

  test("a publisher too slow for its memory catches up from the database", async () => {
    const { start, publisher } = await createFixture(server);
    const runtime = await start();
    const topic = createTopic();
    const subject = publisher(
      runtime,
      async (entries) => {
        await sleep(2);
        topic.take(entries);
      },
      { limits: { tailMaxBytes: 500, batchMaxEvents: 20 } },
    );
    await subject.start();
    const ids = Array.from({ length: 10 }, () => runtime.newId());
    await work(runtime, ids, 60);
    await subject.drained();
    expect(topic).toMatchObject({ delivered: 600, repeated: 0, faults: [] });
  });

  test("killed at any moment, the next process publishes on without a gap", async () => {
    const fixture = await createFixture(server);
    const topic = createTopic();
    let ids: string[] = [];
    for (let life = 0; life < 5; life++) {
      const runtime = await fixture.start();
      let isDead = false;
      const subject = fixture.publisher(runtime, async (entries) => {
        await sleep(1);
        if (isDead) throw new Error("killed");
        topic.take(entries);
      });
      await subject.start();
      if (life === 0) ids = Array.from({ length: 20 }, () => runtime.newId());
      await work(runtime, ids, 10);
      isDead = life < 4;
      if (isDead) fixture.kill(runtime);
      else await subject.drained();
    }
    expect(topic.faults).toEqual([]);
    expect([...topic.last.values()]).toEqual(ids.map(() => 50));
  });

  test("partitions that move between processes are published by their new owners", async () => {
    const fixture = await createFixture(server);
    const topic = createTopic();
    const a = await fixture.start({ owner: "a", limits: shortLease });
    const onA = fixture.publisher(a, async (entries) => topic.take(entries));
    await onA.start();
    const ids = Array.from({ length: 64 }, (_, partition) => a.newId(partition));
    await work(a, ids, 5);
    const b = await fixture.start({ owner: "b", limits: shortLease });
    const onB = fixture.publisher(b, async (entries) => topic.take(entries));
    await onB.start();
    await until(() => b.ownedPartitions().length === 32 && a.ownedPartitions().length === 32, "they share");
    const owned = (runtime: TallyRuntime) =>
      ids.filter((id) => runtime.ownedPartitions().includes(runtime.partitionOf(id)));
    await Promise.all([work(a, owned(a), 5), work(b, owned(b), 5)]);
    await Promise.all([onA.drained(), onB.drained()]);
    expect(topic.faults).toEqual([]);
    expect([...topic.last.values()]).toEqual(ids.map(() => 10));
  });
});
