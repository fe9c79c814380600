import { expect, it } from "vitest";
import { createJournalForwarder, type EventMessage, findSourcePosition } from "./index.ts";

const entries = [
  { partition: 4, offset: 10, records: [record("a", 1), record("b", 7)] },
  { partition: 4, offset: 11, records: [record("a", 2)] },
];

function record(id: string, seq: number): { id: string; seq: number; bytes: Uint8Array } {
  return { id, seq, bytes: Uint8Array.of(seq) };
}

it("makes one message per record, in order, with its place in the journal", async () => {
  const published: EventMessage[] = [];
  const publish = async (batch: readonly EventMessage[]): Promise<void> => void published.push(...batch);
  const forward = createJournalForwarder({ sinks: [{ publish }], topic: "x.Event", source: "/heddle/x" });
  await forward(entries);
  expect(published.map(({ headers }) => headers.ce_id)).toEqual(["a/1", "b/7", "a/2"]);
  expect(published.map((message) => findSourcePosition(message))).toEqual([
    { partition: 4, offset: 10, index: 0 },
    { partition: 4, offset: 10, index: 1 },
    { partition: 4, offset: 11, index: 0 },
  ]);
  expect(published[1]).toMatchObject({ topic: "x.Event", key: "b", value: Uint8Array.of(7) });
});

it("makes nothing for a sink that nobody listens to", async () => {
  let described = 0;
  const idle = {
    publish: async () => {
      throw new Error("not asked for");
    },
    hasConsumers: () => false,
  };
  const describe = (): object => ({ occurredAtMs: described++ });
  await createJournalForwarder({ sinks: [idle], topic: "x.Event", source: "/x", describe })(entries);
  expect(described).toBe(0);
});

it("fails when one of its sinks does, so that the journal gives the entries again", async () => {
  const good = { publish: async () => {} };
  const bad = {
    publish: async () => {
      throw new Error("no broker");
    },
  };
  const forward = createJournalForwarder({ sinks: [good, bad], topic: "x.Event", source: "/x" });
  await expect(forward(entries)).rejects.toThrow("no broker");
});
