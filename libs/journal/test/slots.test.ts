import { expect, test } from "vitest";
import { add, createFixture, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

const HOUR_MS = 3_600_000;

describeOnServers("slots", (server) => {
  const setUp = async () => {
    const fixture = await createFixture(server);
    const clock = { now: Date.UTC(2030, 0, 1) };
    const start = () =>
      fixture.start({
        now: () => clock.now,
        limits: { slotDurationMs: HOUR_MS, slotMaintenanceIntervalMs: 20 },
      });
    const tables = async (): Promise<string[]> => {
      const { rows } = await fixture.database.query<{ hour: string }>({
        text: `select to_char(to_timestamp(substr(inhrelid::regclass::text, 9)::bigint / 1000) at time zone 'utc', 'HH24') as hour
          from pg_inherits where inhparent = 'journal'::regclass order by 1`,
      });
      return rows.map((row) => row.hour);
    };
    const untilTables = (expected: string) =>
      until(async () => (await tables()).join() === expected, `the tables are ${expected}`);
    return { fixture, clock, start, tables, untilTables };
  };

  test("tables are made ahead, and dropped whole when they are projected", async () => {
    const { fixture, clock, start, untilTables } = await setUp();
    const runtime = await start();
    const id = runtime.newId();
    await untilTables("00,01");
    for (const hour of sequence(5)) {
      expect(await add(runtime, id, hour)).toMatchObject({ seq: hour });
      clock.now += HOUR_MS;
      await until(() => runtime.metrics().unprojectedEvents === 0, "it is projected");
    }
    await untilTables("04,05,06");
    expect((await runtime.readHistory(id)).map((record) => record.seq)).toEqual(sequence(5));
    // The offsets go on although the rows before them are gone.
    clock.now += 5 * HOUR_MS;
    await untilTables("10,11");
    fixture.kill(runtime);
    const next = await start();
    expect(await add(next, id, 6)).toMatchObject({ seq: 6 });
    expect(next.headOffset(next.partitionOf(id))).toBe(6);
  });

  test("a table is kept while it is not projected", async () => {
    const { fixture, clock, start, untilTables } = await setUp();
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    const rename = (from: string, to: string) =>
      fixture.database.query({ text: `alter table ${from} rename to ${to}` });
    // From here on nothing can be projected.
    await rename("tallies", "tallies_elsewhere");
    await add(runtime, id, 2);
    clock.now += 3 * HOUR_MS;
    await untilTables("00,01,03,04");
    await rename("tallies_elsewhere", "tallies");
    await add(runtime, id, 3);
    fixture.kill(runtime);
    const next = await fixture.start({
      now: () => clock.now,
      limits: { slotDurationMs: HOUR_MS, slotMaintenanceIntervalMs: 20 },
    });
    expect((await next.read(id))?.seq).toBe(3);
    await untilTables("03,04");
  });

  test("a table is kept while a publisher has not seen it", async () => {
    const { fixture, clock, start, tables, untilTables } = await setUp();
    const runtime = await start();
    let isOpen = false;
    const seen: number[] = [];
    const publisher = fixture.publisher(runtime, async (entries) => {
      if (!isOpen) throw new Error("the broker is down");
      seen.push(...entries.flatMap((entry) => entry.records.map((record) => record.seq)));
    });
    await publisher.start();
    const id = runtime.newId();
    await add(runtime, id, 1);
    clock.now += 3 * HOUR_MS;
    await until(() => runtime.metrics().unprojectedEvents === 0, "it is projected");
    await untilTables("00,01,03,04");
    await add(runtime, id, 2);
    expect(await tables()).toContain("00");
    isOpen = true;
    await untilTables("03,04");
    expect(seen).toEqual([1, 2]);
  });
});
