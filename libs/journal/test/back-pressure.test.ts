import { expect, test } from "vitest";
import { add, createFixture, noProjection, sequence, until } from "./fixture.ts";
import { describeOnServers } from "./servers.ts";

describeOnServers("back-pressure", (server) => {
  test("new work is refused while the projection is behind, results and timers never", async () => {
    const { start } = await createFixture(server);
    const runtime = await start({ limits: { ...noProjection, projectionLagMaxEvents: 10, retryAfterMs: 123 } });
    const id = runtime.newId();
    for (const value of sequence(11)) await add(runtime, id, value);
    const refused = runtime.submit(runtime.newId(), { kind: "add", value: 1 }, { admission: true });
    await expect(refused).rejects.toMatchObject({
      kind: "resource_exhausted",
      reason: "OVERLOADED",
      retryAfterMs: 123,
      metadata: { what: "unprojected events", value: "11", bound: "10" },
    });
    await runtime.submit(id, { kind: "alarm", at: Date.now() });
    await until(async () => (await runtime.read(id))?.fired.length === 1, "the timer fires");
    expect(await add(runtime, id, 1)).toMatchObject({ seq: 14 });
  });

  test("new work is refused while too much is queued, and taken again when it is done", async () => {
    const { start } = await createFixture(server);
    const runtime = await start({ limits: { queueMaxCommands: 100, queueMaxBytes: 1_000_000 } });
    const id = runtime.newId();
    const settled = await Promise.allSettled(
      sequence(300).map(() => runtime.submit(id, { kind: "add", value: 1 }, { admission: true })),
    );
    expect(settled.filter((result) => result.status === "fulfilled")).toHaveLength(101);
    await expect(runtime.submit(id, { kind: "look" }, { admission: true })).resolves.toMatchObject({ seq: 101 });
    const large = sequence(5).map(() => runtime.submit(id, { kind: "look" }, { admission: true, sizeBytes: 400_000 }));
    expect((await Promise.allSettled(large)).filter((result) => result.status === "fulfilled")).toHaveLength(3);
  });

  test("new work is refused while a publisher is behind", async () => {
    const { start, publisher } = await createFixture(server);
    const runtime = await start({ limits: { publisherLagMaxRows: 5 } });
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = publisher(runtime, () => blocked);
    await slow.start();
    const id = runtime.newId();
    for (const value of sequence(7)) await add(runtime, id, value);
    expect(runtime.metrics().publisherLagRows).toBe(7);
    await expect(runtime.submit(id, { kind: "look" }, { admission: true })).rejects.toThrow(
      "unpublished journal rows is 7",
    );
    release();
    await slow.drained();
    await expect(runtime.submit(id, { kind: "look" }, { admission: true })).resolves.toMatchObject({ seq: 7 });
  });
});
