import { expect, test } from "vitest";
import { releasePayloads } from "../src/index.ts";
import { add, createFixture, noProjection } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

const large = (letter: string): string => letter.repeat(70_000);

describeOnServers("payloads", (server) => {
  test("a large payload is stored once, however many events carry it", async () => {
    const { start, database } = await createFixture(server);
    const runtime = await start({ limits: noProjection });
    const ids = Array.from({ length: 5 }, () => runtime.newId());
    await Promise.all(ids.map((id) => runtime.submit(id, { kind: "note", text: large("a") })));
    await runtime.submit(ids[0] as string, { kind: "note", text: large("a") });
    await runtime.submit(ids[0] as string, { kind: "note", text: large("b") });
    await runtime.submit(ids[0] as string, { kind: "note", text: "short" });
    const { rows } = await database.query<{ size: number }>({
      text: "select length(bytes) as size from payloads",
    });
    expect(rows.map((row) => row.size)).toEqual([70_000, 70_000]);
    const journal = await database.query<{ size: string }>({ text: "select sum(length(batch)) as size from journal" });
    expect(Number(journal.rows[0]?.size)).toBeLessThan(2_000);
  });

  test("recovery, rebuilding and history find the payloads again", async () => {
    const fixture = await createFixture(server);
    const first = await fixture.start({ limits: noProjection });
    const id = first.newId();
    await first.submit(id, { kind: "note", text: large("a") });
    await add(first, id, 1);
    await expect(first.submit(id, { kind: "explode" })).rejects.toThrow("exploded as asked");
    expect((await first.read(id))?.noted.join() === large("a")).toBe(true);
    fixture.kill(first);
    const second = await fixture.start();
    expect((await second.read(id))?.noted.join() === large("a")).toBe(true);
    const [record] = await second.readHistory(id);
    expect(record?.payloadDigests).toHaveLength(1);
    const payloads = await second.loadPayloads(record?.payloadDigests ?? []);
    expect(Buffer.from(payloads.get(record?.payloadDigests[0] ?? "")).toString() === large("a")).toBe(true);
    expect(() => payloads.get("00")).toThrow("payload 00 is not stored");
  });

  test("a process that hangs while it releases payloads keeps no other from appending", async () => {
    const { start, database } = await createFixture(server);
    const runtime = await start();
    const id = runtime.newId();
    await runtime.submit(id, { kind: "note", text: large("a") });
    const locked = Promise.withResolvers<void>();
    const hanging = Promise.withResolvers<void>();
    const release = database.transaction(async (transaction) => {
      await releasePayloads(transaction, [id]);
      locked.resolve();
      await hanging.promise;
    });
    release.catch(locked.reject);
    await locked.promise;
    expect(await add(runtime, runtime.newId(), 1)).toEqual({ seq: 1, sum: 1 });
    hanging.resolve();
    await expect(release).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
    expect((await database.query({ text: "select from payloads" })).rowCount).toBe(1);
  });

  test("above the cap it is refused by name and size, and nothing is changed", async () => {
    const { start, database } = await createFixture(server);
    const runtime = await start({ limits: { payloadMaxBytes: 69_000 } });
    const id = runtime.newId();
    await add(runtime, id, 1);
    await expect(runtime.submit(id, { kind: "note", text: large("a") })).rejects.toMatchObject({
      reason: "PAYLOAD_TOO_LARGE",
      message: "text has 70000 bytes, above the limit of 69000; pass a reference to where the data is",
      violations: [{ field: "text" }],
    });
    expect(await add(runtime, id, 2)).toEqual({ seq: 2, sum: 3 });
    expect((await runtime.read(id))?.noted).toEqual([]);
    expect((await database.query({ text: "select from payloads" })).rowCount).toBe(0);
    expect(runtime.metrics().defects).toBe(0);
  });
});
