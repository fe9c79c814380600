import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createRegistry } from "@bufbuild/protobuf";
import { StructSchema, timestampFromMs, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEventMessage, createFileSink, createRawEventMessage, type EventMessage } from "./index.ts";

const registry = createRegistry(TimestampSchema);

describe("event log", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-events-"));
    path = join(folder, "log", "events.jsonl");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const message = (offset: number, index = 0, partition = 1): EventMessage =>
    createEventMessage(TimestampSchema, timestampFromMs(offset * 1_000), {
      id: `a/${partition}-${offset}-${index}`,
      source: "/heddle/test",
      key: "a",
      position: { partition, offset, index },
      occurredAtMs: 0,
    });

  const lines = async (): Promise<{ id: string }[]> =>
    (await readFile(path, "utf8"))
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { id: string });
  const ids = async (): Promise<string[]> => (await lines()).map(({ id }) => id);

  it("writes one CloudEvent per line, its data as protobuf's JSON", async () => {
    const sink = await createFileSink({ path, registry });
    await sink.publish([message(5)]);
    await sink.close();
    expect(await lines()).toEqual([
      {
        specversion: "1.0",
        id: "a/1-5-0",
        source: "/heddle/test",
        type: "google.protobuf.Timestamp",
        subject: "a",
        time: "1970-01-01T00:00:00.000Z",
        heddlepartition: 1,
        heddleoffset: 5,
        heddleindex: 0,
        datacontenttype: "application/json",
        data: "1970-01-01T00:00:05Z",
      },
    ]);
  });

  it("keeps the bytes of events that it cannot decode", async () => {
    const sink = await createFileSink({ path, registry });
    const attributes = { id: "a/1", source: "/test", key: "a" };
    await sink.publish([
      createEventMessage(StructSchema, create(StructSchema), attributes),
      createRawEventMessage("google.protobuf.Timestamp", Uint8Array.of(255), attributes),
    ]);
    await sink.close();
    expect(await lines()).toMatchObject([{ data_base64: "" }, { data_base64: "/w==" }]);
  });

  it("leaves out what it has, within one life and after a restart", async () => {
    const first = await createFileSink({ path, registry });
    await first.publish([message(1), message(1, 1)]);
    await first.publish([message(1, 1), message(2), message(1, 0, 9)]);
    await first.close();
    const second = await createFileSink({ path, registry });
    await second.publish([message(1), message(1, 1), message(2), message(2, 1), message(1, 0, 9), message(2, 0, 9)]);
    await second.close();
    expect(await ids()).toEqual(["a/1-1-0", "a/1-1-1", "a/1-2-0", "a/9-1-0", "a/1-2-1", "a/9-2-0"]);
  });

  it("removes the line that a crash cut off, and writes its event when it comes again", async () => {
    const first = await createFileSink({ path, registry });
    await first.publish([message(1), message(2)]);
    await first.close();
    const whole = await readFile(path, "utf8");
    for (const cut of [1, 10, 150]) {
      await writeFile(path, whole.slice(0, -cut));
      const second = await createFileSink({ path, registry });
      await second.publish([message(1), message(2), message(3)]);
      await second.close();
      expect(await ids(), `cut by ${cut}`).toEqual(["a/1-1-0", "a/1-2-0", "a/1-3-0"]);
    }
  });

  it("finds the positions of a log that is longer than one read", async () => {
    const first = await createFileSink({ path, registry });
    const many = Array.from({ length: 10_000 }, (_, offset) => message(offset + 1));
    await first.publish(many);
    await first.close();
    const second = await createFileSink({ path, registry });
    await second.publish(many);
    await second.close();
    expect(await lines()).toHaveLength(10_000);
  });

  it("keeps the order of calls that do not wait for each other", async () => {
    const sink = await createFileSink({ path, registry });
    await Promise.all([1, 2, 3, 4, 5].map((offset) => sink.publish([message(offset)])));
    await sink.close();
    expect(await ids()).toEqual([1, 2, 3, 4, 5].map((offset) => `a/1-${offset}-0`));
  });

  it("refuses a file that is something else, by its place", async () => {
    const sink = await createFileSink({ path, registry });
    await sink.publish([message(1)]);
    await sink.close();
    await appendFile(path, "not json\n");
    await expect(createFileSink({ path, registry })).rejects.toThrow(`${path}:2 is not a line of an event log`);
  });

  it("rejects after close", async () => {
    const sink = await createFileSink({ path, registry });
    await sink.close();
    await sink.close();
    await expect(sink.publish([message(1)])).rejects.toThrow("is closed");
  });
});
