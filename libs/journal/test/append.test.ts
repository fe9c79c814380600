import { DomainError } from "@heddle/errors";
import { expect, test } from "vitest";
import type { CommittedTurn } from "../src/index.ts";
import { childId, partitionBits } from "../src/index.ts";
import { add, createFixture, noProjection, readAll, type Reply, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";
import type { Tally, TallyCommand, TallyEvent } from "./tally.ts";

describeOnServers("append", (server) => {
  test("a reply comes after the commit, and the journal holds every event once, in order", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const ids = Array.from({ length: 40 }, () => runtime.newId());
    const replies = await Promise.all(ids.flatMap((id) => sequence(25).map((value) => add(runtime, id, value))));
    expect(replies.map((reply) => reply.seq)).toEqual(ids.flatMap(() => sequence(25)));
    const stored = await readAll(runtime);
    expect(stored.size).toBe(40);
    for (const id of ids) expect(stored.get(id)).toEqual(sequence(25));
  });

  test("many commands share one flush, and one command gets one at once", async () => {
    const { start } = await createFixture(server);
    // However slow the machine is at deciding.
    const runtime = await start({ limits: { batchMaxDecideMs: 10_000 } });
    const ids = Array.from({ length: 500 }, () => runtime.newId());
    await Promise.all(ids.map((id) => add(runtime, id, 1)));
    expect(runtime.metrics().flushes).toBeLessThanOrEqual(2);
    await add(runtime, ids[0] as string, 2);
    expect(runtime.metrics().events).toBe(501);
  });

  test("a refusal changes nothing, and a command without events is answered", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await expect(runtime.submit(id, { kind: "look" })).rejects.toThrow("there is no such tally");
    await add(runtime, id, 3);
    await expect(runtime.submit(id, { kind: "refuse" })).rejects.toThrow(DomainError);
    expect(await runtime.submit(id, { kind: "look" })).toEqual({ seq: 1, sum: 3 });
    expect(runtime.metrics()).toMatchObject({ flushes: 1, refusals: 2, defects: 0 });
  });

  test("an answer that rests on an uncommitted turn waits for its commit", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      runtime.submitAll([
        { id, fresh: true, command: { kind: "add", value: 1 }, onDone: () => order.push("add") },
        { id, command: { kind: "look" }, onDone: () => order.push("look") },
        { id, command: { kind: "refuse" }, onDone: () => order.push("refuse") },
        { id, command: { kind: "add", value: 2 }, onDone: () => resolve() },
      ]);
    });
    expect(order).toEqual([]);
    await done;
    expect(order).toEqual(["add", "look", "refuse"]);
    expect(runtime.metrics().flushes).toBe(1);
  });

  test("committed turns are told once, before the submitters, with their offsets", async () => {
    const { start } = await createFixture(server);
    const told: CommittedTurn<Tally, TallyCommand, TallyEvent>[] = [];
    const runtime = await start({ onCommitted: (turns) => told.push(...turns) });
    const id = runtime.newId();
    await runtime.submit(id, { kind: "add", value: 7, times: 3 });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ id, offset: 1, partition: partitionBits(id), reply: { seq: 3, sum: 21 } });
    expect(told[0]?.events).toHaveLength(3);
    expect(runtime.headOffset(partitionBits(id))).toBe(1);
  });

  test("a read shows committed state only", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    let acknowledged = 0;
    const writes = sequence(300).map(async (value) => {
      await add(runtime, id, value);
      acknowledged = Math.max(acknowledged, value);
    });
    for (let i = 0; i < 100; i++) {
      const before = acknowledged;
      const seen = (await runtime.read(id))?.seq ?? 0;
      expect(seen).toBeGreaterThanOrEqual(before);
      const { entries } = await runtime.readJournal([partitionBits(id)], 0, 10_000);
      const stored = entries.reduce((count, entry) => count + entry.records.length, 0);
      expect(stored).toBeGreaterThanOrEqual(seen);
    }
    await Promise.all(writes);
  });

  test("a finished aggregate leaves memory, and a late command still meets it", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await add(runtime, id, 5);
    await runtime.submit(id, { kind: "finish" });
    await until(() => runtime.metrics().liveAggregates === 0, "the finished aggregate is evicted");
    await expect(add(runtime, id, 1)).rejects.toThrow("the tally is finished");
    expect(await runtime.submit(id, { kind: "look" })).toEqual({ seq: 2, sum: 5 });
    expect(await runtime.read(id)).toMatchObject({ seq: 2, finished: true });
    await until(() => runtime.metrics().liveAggregates === 0, "it is evicted again");
  });

  test("history is complete at every moment, before, during and after the projection", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    for (const value of sequence(60)) {
      await add(runtime, id, value);
      const records = await runtime.readHistory(id);
      expect(records.map((record) => record.seq)).toEqual(sequence(value));
    }
    const page = await runtime.readHistory(id, { afterSeq: 20, limit: 10 });
    expect(page.map((record) => record.seq)).toEqual(sequence(30).slice(20));
    expect(JSON.parse(Buffer.from(page[0]?.bytes ?? []).toString())).toEqual({ kind: "added", value: 21 });
    expect(await runtime.readHistory(id, { afterSeq: 60 })).toEqual([]);
  });

  test("history after the projection comes from compressed chunks", async () => {
    const { start, database } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await runtime.submit(id, { kind: "add", value: 1, times: 200 });
    await until(
      async () => (await database.query({ text: "select from history" })).rowCount === 1,
      "history is written",
    );
    await until(() => runtime.metrics().unprojectedEvents === 0, "the projection is told to be done");
    const { rows } = await database.query<{ encoding: number; size: number }>({
      text: "select encoding, length(events) as size from history",
    });
    expect(rows[0]?.encoding).toBe(1);
    expect(rows[0]?.size).toBeLessThan(2_000);
    expect((await runtime.readHistory(id)).map((record) => record.seq)).toEqual(sequence(200));
  });

  test("a child id leads to the same aggregate from any command", async () => {
    const { start } = await createFixture(server);
    const runtime = await start({ limits: noProjection });
    const parent = runtime.newId();
    const child = childId(parent, "step/1");
    expect(runtime.partitionOf(child)).toBe(runtime.partitionOf(parent));
    const replies = (await Promise.all([add(runtime, child, 1), add(runtime, child, 1)])) satisfies Reply[];
    expect(replies.map((reply) => reply.seq)).toEqual([1, 2]);
  });

  test("an id that is none is refused by name", async () => {
    const { start } = await createFixture(server);
    const runtime = await start();
    await expect(add(runtime, "42", 1)).rejects.toThrow('"42" is not an id');
  });
});
