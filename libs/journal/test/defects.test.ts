import { expect, test } from "vitest";
import { add, createFixture, noProjection, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

describeOnServers("defects", (server) => {
  test("a command that throws harms its own aggregate only, which goes on from what was committed", async () => {
    const { start, logs } = await createFixture(server);
    const runtime = await start({ limits: noProjection });
    const [bad, good] = [runtime.newId(5), runtime.newId(5)] as const;
    await add(runtime, bad, 1);
    const settled = await Promise.allSettled([
      add(runtime, bad, 2),
      add(runtime, good, 1),
      runtime.submit(bad, { kind: "explode" }),
      add(runtime, bad, 3),
      add(runtime, good, 2),
    ]);
    expect(settled.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
      { seq: 2, sum: 3 },
      { seq: 1, sum: 1 },
      "TypeError: exploded as asked",
      // Not 5: what the failed command left in the state is gone.
      { seq: 3, sum: 6 },
      { seq: 2, sum: 3 },
    ]);
    expect(runtime.metrics().defects).toBe(1);
    expect(logs.filter((line) => line.startsWith("error:"))).toHaveLength(1);
  });

  test("the same when its events have been projected", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    await until(() => runtime.metrics().unprojectedEvents === 0, "it is projected");
    await expect(runtime.submit(id, { kind: "explode" })).rejects.toThrow("exploded as asked");
    expect(await add(runtime, id, 2)).toEqual({ seq: 2, sum: 3 });
    expect(await runtime.read(id)).toMatchObject({ entries: [1, 2] });
  });

  test("the same when a decision has changed the state and cannot go on: that is no refusal, whatever is its cause", async () => {
    const { start } = await createFixture(server);
    const runtime = await start({ limits: noProjection });
    const id = runtime.newId();
    await add(runtime, id, 1);
    const settled = await Promise.allSettled([
      add(runtime, id, 2),
      runtime.submit(id, { kind: "diverge" }),
      runtime.submit(id, { kind: "refuse" }),
      add(runtime, id, 3),
    ]);
    expect(settled.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
      { seq: 2, sum: 3 },
      "Error: an event was decided that cannot follow",
      "DomainError: refused as asked",
      { seq: 3, sum: 6 },
    ]);
    // A refusal is none: it costs nobody a rebuild.
    expect(runtime.metrics().defects).toBe(1);
  });

  test("an event without an encoding takes its whole turn back", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    await expect(runtime.submit(id, { kind: "unencodable" })).rejects.toThrow("no encoding");
    expect(await add(runtime, id, 2)).toEqual({ seq: 2, sum: 3 });
  });

  test("an aggregate that never came to be leaves nothing", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    await expect(runtime.submit(runtime.newId(), { kind: "explode" })).rejects.toThrow("exploded as asked");
    await until(() => runtime.metrics().liveAggregates === 0, "it is forgotten");
  });

  test("state that the projection cannot take holds up nobody else, and is kept by the journal", async () => {
    const fixture = await createFixture(server);
    const runtime = await fixture.start();
    const ids = Array.from({ length: 10 }, () => runtime.newId(9));
    const bad = ids[4] as string;
    await Promise.all(
      ids.map((id) => (id === bad ? runtime.submit(id, { kind: "unprojectable" }) : add(runtime, id, 1))),
    );
    await until(() => runtime.metrics().unprojectedEvents === 1, "the others are projected");
    expect((await fixture.database.query({ text: "select from tallies" })).rowCount).toBe(9);
    await Promise.all(ids.map((id) => add(runtime, id, 2)));
    await until(() => runtime.metrics().unprojectedEvents === 2, "the others are projected again");
    expect((await runtime.readHistory(bad)).map((record) => record.seq)).toEqual([1, 2]);
    fixture.kill(runtime);
    const next = await fixture.start();
    expect((await next.read(bad))?.seq).toBe(2);
    for (const id of ids) {
      expect(await add(next, id, 3)).toMatchObject({ seq: 3 });
      expect((await next.readHistory(id)).map((record) => record.seq)).toEqual(sequence(3));
    }
  });

  test("a timer whose command always fails is tried again with pauses, and its neighbours fire", async () => {
    const { start } = await createFixture(server);
    const runtime = await start({ limits: { timerRetryMinMs: 50, timerRetryMaxMs: 100 } });
    const [bad, good] = [runtime.newId(1), runtime.newId(1)] as const;
    await runtime.submit(bad, { kind: "alarm", at: Date.now(), poison: true });
    await runtime.submit(good, { kind: "alarm", at: Date.now() + 100 });
    await until(async () => (await runtime.read(good))?.fired.length === 1, "the neighbour fires");
    await until(() => runtime.metrics().defects >= 3, "the poison is tried again");
    expect(runtime.metrics().defects).toBeLessThan(100);
  });
});
