import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { partitionBits } from "../src/index.ts";
import { fairShare } from "../src/assignment.ts";
import { add, createFixture, readAll, sequence, shortLease, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

/** Notices nothing by itself: as a process that hangs and comes back. */
const frozen = { leaseRenewIntervalMs: 3_600_000, leaseDurationMs: 600, leaseSafetyMarginMs: -3_600_000 };

describeOnServers("ownership", (server) => {
  test("a lone process owns everything, and leaves nothing behind when it stops", async () => {
    const { start, database } = await createFixture(server);
    const runtime = await start();
    expect(runtime.ownedPartitions()).toEqual(sequence(64).map((n) => n - 1));
    expect(await runtime.findOwner(12)).toEqual({ owner: "a", address: "" });
    await add(runtime, runtime.newId(), 1);
    await runtime.stop();
    expect((await database.query({ text: "select from journal_owners" })).rowCount).toBe(0);
    const { rows } = await database.query<{ behind: number }>({
      text: `select count(*)::int as behind from journal j join journal_partitions p
          on j.partitions & (1::bigint << p.partition) <> 0
        where j.journal_offset > p.projected_offset or p.owner is not null`,
    });
    expect(rows[0]?.behind).toBe(0);
    await expect(add(runtime, runtime.newId(), 1)).rejects.toThrow("is stopping");
  });

  test("a zombie whose lease was taken over cannot write, and nothing of it is acknowledged", async () => {
    const { start } = await createFixture(server);
    const lost: number[] = [];
    const zombie = await start({
      owner: "zombie",
      deaf: true,
      limits: frozen,
      onLost: (partition) => lost.push(partition),
    });
    const id = zombie.newId();
    await add(zombie, id, 1);
    await sleep(frozen.leaseDurationMs);
    const heir = await start({ owner: "heir" });
    await until(() => heir.ownedPartitions().length === 64, "the heir has everything");
    await add(heir, id, 2);
    // The zombie still believes; its state is behind.
    expect(zombie.ownedPartitions()).toHaveLength(64);
    await expect(add(zombie, id, 99)).rejects.toMatchObject({ kind: "unavailable", reason: "PARTITION_LOST" });
    expect(lost).toHaveLength(64);
    await expect(add(zombie, id, 99)).rejects.toMatchObject({ kind: "unavailable", reason: "PARTITION_NOT_OWNED" });
    expect(await add(heir, id, 3)).toEqual({ seq: 3, sum: 6 });
    expect((await readAll(heir)).get(id)).toEqual([1, 2, 3]);
  });

  test("a zombie cannot write the projection either", async () => {
    const { start, database } = await createFixture(server);
    const zombie = await start({ owner: "zombie", deaf: true, limits: { ...frozen, projectionIntervalMs: 1_500 } });
    const id = zombie.newId();
    await add(zombie, id, 1);
    await sleep(frozen.leaseDurationMs);
    const heir = await start({ owner: "heir" });
    await until(() => heir.ownedPartitions().length === 64, "the heir has everything");
    await add(heir, id, 2);
    await until(() => heir.metrics().unprojectedEvents === 0, "the heir has projected");
    await sleep(1_500);
    const { rows } = await database.query<{ state: string }>({ text: "select state from tallies" });
    expect(rows.map((row) => JSON.parse(row.state))).toMatchObject([{ seq: 2 }]);
    expect((await heir.readHistory(id)).map((record) => record.seq)).toEqual([1, 2]);
  });

  test("a process that could not renew answers nothing from memory, and what it commits proves that nobody took over", async () => {
    const { start, proxyOf } = await createFixture(server);
    const lost: number[] = [];
    const limits = {
      leaseDurationMs: 500,
      leaseSafetyMarginMs: 200,
      leaseRenewIntervalMs: 3_600_000,
      outagePatienceMs: 400,
    };
    const runtime = await start({ owner: "isolated", deaf: true, limits, onLost: (partition) => lost.push(partition) });
    const id = runtime.newId();
    await add(runtime, id, 1);
    await sleep(limits.leaseDurationMs);
    const read = runtime.read(id).catch((error: unknown) => error);
    expect(await add(runtime, id, 1)).toEqual({ seq: 2, sum: 2 });
    expect(await read).toMatchObject({ kind: "unavailable", reason: "DEPENDENCY_UNAVAILABLE" });
    await expect(runtime.readHistory(id)).rejects.toMatchObject({ kind: "unavailable" });
    await expect(runtime.submit(id, { kind: "add", value: 1 }, { admission: true })).rejects.toMatchObject({
      reason: "DEPENDENCY_UNAVAILABLE",
    });
    expect(lost).toEqual([]);
    proxyOf(runtime).cut();
  });

  test("a restart under the same name takes its partitions back at once, and the older one stops for good", async () => {
    const { start, logs } = await createFixture(server);
    let superseded = 0;
    const old = await start({ limits: shortLease, onSuperseded: () => superseded++ });
    const id = old.newId();
    await add(old, id, 1);
    const renewed = await start();
    expect(renewed.ownedPartitions()).toHaveLength(64);
    expect(await add(renewed, id, 2)).toEqual({ seq: 2, sum: 3 });
    await until(
      () => logs.some((line) => line.includes("another process runs under this owner name")),
      "the older notices",
    );
    await sleep(500);
    expect(superseded).toBe(1);
    expect(old.ownedPartitions()).toEqual([]);
    expect(renewed.ownedPartitions()).toHaveLength(64);
  });

  test("several processes share evenly, and take over from one that dies", async () => {
    const { start, kill } = await createFixture(server);
    const a = await start({ owner: "a", limits: shortLease });
    const ids = Array.from({ length: 200 }, () => a.newId());
    await Promise.all(ids.map((id) => add(a, id, 1)));
    const b = await start({ owner: "b", limits: shortLease });
    const c = await start({ owner: "c", limits: shortLease });
    const sizes = () => [a, b, c].map((runtime) => runtime.ownedPartitions().length);
    await until(() => sizes().join() === "22,21,21", "they share evenly");
    const all = [a, b, c].flatMap((runtime) => runtime.ownedPartitions()).sort((x, y) => x - y);
    expect(all).toEqual(sequence(64).map((n) => n - 1));
    for (const id of ids.slice(0, 40)) {
      const owner = [a, b, c].find((runtime) => runtime.ownedPartitions().includes(partitionBits(id)));
      expect(await add(owner as typeof a, id, 1)).toEqual({ seq: 2, sum: 2 });
    }
    kill(b);
    await until(() => a.ownedPartitions().length + c.ownedPartitions().length === 64, "the others take over");
    for (const id of ids) {
      const owner = a.ownedPartitions().includes(partitionBits(id)) ? a : c;
      expect((await owner.read(id))?.seq).toBe(ids.indexOf(id) < 40 ? 2 : 1);
    }
    await c.stop();
    await until(() => a.ownedPartitions().length === 64, "one has everything again");
    expect((await readAll(a)).size).toBe(200);
  });

  test("commands under way while partitions move are applied once or refused, never both", async () => {
    const { start } = await createFixture(server);
    const a = await start({ owner: "a", limits: shortLease });
    const ids = Array.from({ length: 64 }, (_, partition) => a.newId(partition));
    await Promise.all(ids.map((id) => add(a, id, 0)));
    const runtimes = [a];
    const acknowledged = new Map<string, number>();
    let running = true;
    const hammer = ids.map(async (id, index) => {
      while (running) {
        const runtime = runtimes[Math.floor(Math.random() * runtimes.length)] as typeof a;
        try {
          await add(runtime, id, 1);
          acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1);
        } catch {
          await sleep(1 + (index % 5));
        }
      }
    });
    runtimes.push(await start({ owner: "b", limits: shortLease }));
    await sleep(400);
    runtimes.push(await start({ owner: "c", limits: shortLease }));
    await sleep(400);
    const leaver = runtimes.shift() as typeof a;
    await leaver.stop();
    await sleep(400);
    running = false;
    await Promise.all(hammer);
    const survivor = runtimes[0] as typeof a;
    const stored = await readAll(survivor);
    for (const id of ids) expect(stored.get(id)).toEqual(sequence((acknowledged.get(id) ?? 0) + 1));
  });

  test("shares are even and complete for any number of owners", () => {
    for (let count = 1; count <= 70; count++) {
      const owners = sequence(count).map((n) => `owner-${String(n).padStart(2, "0")}`);
      const shares = owners.map((owner) => fairShare(64, owners, owner));
      expect(shares.reduce((a, b) => a + b)).toBe(64);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }
    expect(fairShare(64, ["a"], "stranger")).toBe(0);
  });
});
