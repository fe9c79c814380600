import { expect, it } from "vitest";
import {
  createDedupingConsumer,
  createMemoryPositionStore,
  createRawEventMessage,
  type EventMessage,
  type MemoryTransaction,
  type PositionStore,
} from "./index.ts";

const context = { group: "g", topic: "t", partition: 0, signal: new AbortController().signal };

function message(partition: number, offset: number, index = 0, source = "/a"): EventMessage {
  const position = { partition, offset, index };
  return createRawEventMessage("t", new Uint8Array(), {
    id: `${source}#${partition}/${offset}.${index}`,
    source,
    key: "k",
    position,
  });
}

function setUp(positions: PositionStore<MemoryTransaction> = createMemoryPositionStore()) {
  const effects: string[] = [];
  let failing = false;
  const consume = createDedupingConsumer({
    positions,
    async handler(messages) {
      if (failing) throw new Error("no effect");
      effects.push(...messages.map(({ headers }) => headers.ce_id));
    },
  });
  return { consume, effects, fail: (value: boolean) => void (failing = value) };
}

it("skips what took effect, per source and per partition of the source", async () => {
  const { consume, effects } = setUp();
  await consume([message(1, 5), message(2, 1), message(1, 5, 1), message(1, 5)], context);
  await consume([message(1, 4), message(1, 5, 1), message(2, 2), message(1, 1, 0, "/b")], context);
  expect(effects).toEqual(["/a#1/5.0", "/a#2/1.0", "/a#1/5.1", "/a#2/2.0", "/b#1/1.0"]);
});

it("keeps marks apart that belong to another partition of the bus", async () => {
  const { consume, effects } = setUp();
  await consume([message(1, 9)], context);
  await consume([message(1, 8)], { ...context, partition: 1 });
  expect(effects).toEqual(["/a#1/9.0", "/a#1/8.0"]);
});

it("moves no mark when the effect fails", async () => {
  const { consume, effects, fail } = setUp();
  fail(true);
  await expect(consume([message(1, 1)], context)).rejects.toThrow("no effect");
  fail(false);
  await consume([message(1, 1)], context);
  expect(effects).toEqual(["/a#1/1.0"]);
});

it("does not call the handler when nothing is new", async () => {
  const { consume, fail } = setUp();
  await consume([message(1, 1)], context);
  fail(true);
  await expect(consume([message(1, 1)], context)).resolves.toBeUndefined();
});

it("refuses an event that has no place, or one that makes no sense", async () => {
  const { consume } = setUp();
  const bare = createRawEventMessage("t", new Uint8Array(), { id: "k/1", source: "/a", key: "k" });
  await expect(consume([bare], context)).rejects.toThrow("has no source position");
  const odd = { ...bare, headers: { ...bare.headers, "heddle-partition": "1", "heddle-offset": "-3" } };
  await expect(consume([odd], context)).rejects.toThrow('header heddle-offset is "-3", not a whole number');
});
