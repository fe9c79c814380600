import { expect, test } from "vitest";
import { add, createFixture, noProjection, readAll, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

describeOnServers("recovery", (server) => {
  test("killed after every prefix of a story, the next process goes on from exactly there", async () => {
    const fixture = await createFixture(server);
    let runtime = await fixture.start({ limits: noProjection });
    const id = runtime.newId();
    for (const value of sequence(12)) {
      // Every third life projects what it inherits, so that snapshots and journal meet at every point.
      expect(await add(runtime, id, value)).toEqual({ seq: value, sum: (value * (value + 1)) / 2 });
      fixture.kill(runtime);
      runtime = await fixture.start(value % 3 === 0 ? {} : { limits: noProjection });
      if (value % 3 === 0) await until(() => runtime.metrics().unprojectedEvents === 0, "it has projected");
      expect(await runtime.read(id)).toMatchObject({ seq: value, entries: sequence(value) });
      expect((await runtime.readHistory(id)).map((record) => record.seq)).toEqual(sequence(value));
    }
  });

  test("killed between commit and projection, aggregates that are in no table yet come back", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start({ limits: noProjection });
    const ids = Array.from({ length: 100 }, () => first.newId());
    await Promise.all(ids.flatMap((id) => [add(first, id, 1), add(first, id, 2)]));
    await first.submit(ids[0] as string, { kind: "finish" });
    fixture.kill(first);
    expect((await fixture.database.query({ text: "select from tallies" })).rowCount).toBe(0);
    const second = await fixture.start();
    await until(() => second.metrics().unprojectedEvents === 0, "everything is projected");
    expect(second.metrics().liveAggregates).toBe(99);
    expect((await fixture.database.query({ text: "select from tallies" })).rowCount).toBe(100);
    for (const id of ids) expect((await second.read(id))?.entries).toEqual([1, 2]);
    fixture.kill(second);
    const third = await fixture.start();
    expect(third.metrics()).toMatchObject({ liveAggregates: 99, unprojectedEvents: 0 });
  });

  test("a crash loop under load loses no acknowledged turn and doubles none", async () => {
    const fixture = await createFixture(server);
    let runtime = await fixture.start();
    const ids = Array.from({ length: 30 }, () => runtime.newId());
    const acknowledged = new Map(ids.map((id) => [id, 0]));
    for (let life = 0; life < 6; life++) {
      const current = runtime;
      const work = ids.map(async (id) => {
        for (;;) {
          try {
            const { seq } = await add(current, id, 1);
            acknowledged.set(id, seq);
          } catch {
            return;
          }
        }
      });
      await until(() => current.metrics().events > 300, "some hundred turns are done");
      fixture.kill(current);
      runtime = await fixture.start();
      await Promise.all(work);
      for (const id of ids) {
        // At most the one turn whose answer was cut off may be there without having been acknowledged.
        const seq = (await runtime.read(id))?.seq ?? 0;
        expect(seq).toBeGreaterThanOrEqual(acknowledged.get(id) as number);
        expect(seq).toBeLessThanOrEqual((acknowledged.get(id) as number) + 1);
      }
    }
    const stored = await readAll(runtime);
    for (const id of ids) expect(stored.get(id)).toEqual(sequence((await runtime.read(id))?.seq ?? 0));
  });

  test("10,000 live aggregates come back, half from snapshots and half from the journal", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start();
    const create = (count: number) =>
      Promise.all(sequence(count).map(() => first.submit(first.newId(), { kind: "add", value: 1 }, { fresh: true })));
    await create(5_000);
    await until(() => first.metrics().unprojectedEvents === 0, "the first half is projected");
    fixture.kill(first);
    const second = await fixture.start({ limits: noProjection });
    await Promise.all(
      sequence(5_000).map(() => second.submit(second.newId(), { kind: "add", value: 1 }, { fresh: true })),
    );
    fixture.kill(second);
    const began = performance.now();
    const third = await fixture.start({ limits: noProjection });
    console.log(
      `recovered ${third.metrics().liveAggregates} aggregates in ${Math.round(performance.now() - began)} ms`,
    );
    expect([...third.live()]).toHaveLength(10_000);
    expect(third.metrics().unprojectedEvents).toBe(5_000);
  });

  test("an aggregate that this version cannot replay is set aside, and comes back with one that can", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start({ limits: noProjection });
    const [bad, good] = [first.newId(3), first.newId(3)] as const;
    for (const id of [bad, good]) await add(first, id, 1);
    fixture.kill(first);

    const broken = await fixture.start({ unreplayable: new Set([bad]) });
    await expect(add(broken, bad, 2)).rejects.toMatchObject({ reason: "AGGREGATE_QUARANTINED" });
    expect(await add(broken, good, 2)).toEqual({ seq: 2, sum: 3 });
    await until(() => broken.metrics().unprojectedEvents === 1, "all but the broken one is projected");
    expect((await broken.readHistory(bad)).map((record) => record.seq)).toEqual([1]);
    fixture.kill(broken);

    const fixed = await fixture.start();
    expect(await add(fixed, bad, 2)).toEqual({ seq: 2, sum: 3 });
    expect(await add(fixed, good, 3)).toEqual({ seq: 3, sum: 6 });
    await until(() => fixed.metrics().unprojectedEvents === 0, "all is projected");
    expect((await fixed.readHistory(good)).map((record) => record.seq)).toEqual([1, 2, 3]);
  });

  test("commands that come while a partition is recovered wait for it", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start({ limits: noProjection });
    const id = first.newId();
    await add(first, id, 1);
    fixture.kill(first);
    const acquired: number[] = [];
    const second = await fixture.create({ onAcquired: (partition) => acquired.push(partition) });
    const starting = second.start();
    await until(() => second.metrics().ownedPartitions > 0 || acquired.length > 0, "the first is recovered");
    expect(await add(second, id, 2)).toEqual({ seq: 2, sum: 3 });
    await starting;
    expect(acquired.sort((a, b) => a - b)).toEqual(sequence(64).map((n) => n - 1));
  });
});
