import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { add, createFixture, noProjection, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

const DAY_MS = 86_400_000;

describeOnServers("timers", (server) => {
  test("timers fire in any order of setting, none early", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const now = Date.now();
    const due = sequence(200).map((n) => now + ((n * 7_919) % 400));
    const ids = await Promise.all(
      due.map(async (at) => {
        const id = runtime.newId();
        await runtime.submit(id, { kind: "alarm", at });
        return id;
      }),
    );
    const fired = async (id: string) => (await runtime.read(id))?.fired[0];
    await until(async () => (await Promise.all(ids.map(fired))).every((at) => at !== undefined), "all fired");
    for (const [index, id] of ids.entries()) expect(await fired(id)).toBeGreaterThanOrEqual(due[index] as number);
    for (const id of ids) expect((await runtime.read(id))?.fired).toHaveLength(1);
  });

  test("a timer that was moved or taken away does not fire at its old time", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const [moved, ended] = [runtime.newId(), runtime.newId()] as const;
    // Far enough away for a busy machine to commit both changes before.
    const soon = Date.now() + 1_000;
    for (const id of [moved, ended]) await runtime.submit(id, { kind: "alarm", at: soon });
    await runtime.submit(moved, { kind: "alarm", at: soon + 200 });
    await runtime.submit(ended, { kind: "finish" });
    await until(async () => (await runtime.read(moved))?.fired.length === 1, "the moved one fires");
    expect((await runtime.read(moved))?.fired[0]).toBeGreaterThanOrEqual(soon + 200);
    expect((await runtime.read(ended))?.fired).toEqual([]);
  });

  test("all that came due during an outage fire after it, projected or not", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start();
    const ids = Array.from({ length: 50 }, () => first.newId());
    const at = Date.now() + 150;
    await Promise.all(ids.slice(0, 25).map((id) => first.submit(id, { kind: "alarm", at })));
    await until(() => first.metrics().unprojectedEvents === 0, "half of them are projected");
    fixture.kill(first);
    const second = await fixture.start({ limits: noProjection });
    await Promise.all(ids.slice(25).map((id) => second.submit(id, { kind: "alarm", at: Date.now() + 150 })));
    fixture.kill(second);
    await sleep(200);
    const third = await fixture.start();
    await until(async () => {
      const states = await Promise.all(ids.map((id) => third.read(id)));
      return states.every((state) => state?.fired.length === 1);
    }, "all fired");
    for (const id of ids) expect((await third.readHistory(id)).map((record) => record.seq)).toEqual([1, 2]);
  });

  test("a timer further away than setTimeout can count neither fires nor hurts", async () => {
    const { start } = await createFixture(server);
    let clock = Date.now();
    const runtime = await start({ now: () => clock });
    const id = runtime.newId();
    const at = clock + 60 * DAY_MS;
    await runtime.submit(id, { kind: "alarm", at });
    await add(runtime, id, 1);
    await sleep(50);
    expect((await runtime.read(id))?.fired).toEqual([]);
    expect(runtime.metrics().pendingTimers).toBe(1);
    // The wall clock jumps; the next look finds the timer due.
    clock = at;
    await runtime.submit(runtime.newId(), { kind: "alarm", at: clock });
    await until(async () => (await runtime.read(id))?.fired.length === 1, "it fires when its time has come");
  });

  test("timers that are moved all the time do not pile up", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    const far = Date.now() + DAY_MS;
    await Promise.all(sequence(6_000).map((n) => runtime.submit(id, { kind: "alarm", at: far + n })));
    for (const n of sequence(1_200)) {
      // One by one, so that each is a turn of its own for the heap.
      await runtime.submit(id, { kind: "alarm", at: far - n });
    }
    expect(runtime.metrics().pendingTimers).toBeLessThan(1_100);
  });
});
