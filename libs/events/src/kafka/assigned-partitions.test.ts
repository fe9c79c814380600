import { describe, expect, it } from "vitest";
import type { EventHandler } from "../event-bus.ts";
import { defaultBusLimits } from "../limits.ts";
import { createMember } from "../member.ts";
import { createAssignedPartitions, type FetchedBatch } from "./assigned-partitions.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(handler: EventHandler) {
  const member = createMember({ group: "g", topics: ["t"], handler, parkPoison: async () => {} });
  const skipped: number[][] = [];
  const partitions = createAssignedPartitions({
    member,
    limits: { ...defaultBusLimits, batchMaxMessages: 1 },
    onHandled: () => {},
    onFailedDelivery: () => {},
    onPostponed: () => {},
    onSkipped: (_, partition, from, to) => void skipped.push([partition, from, to]),
  });
  return { member, partitions, skipped };
}

/** Offsets `from` up to `to`, not included, fetched from there. */
function fetched(from: number, to: number, fetchedOffset = from): FetchedBatch {
  const messages = Array.from({ length: to - from }, (_, index) => ({
    key: Buffer.from("k"),
    value: Buffer.from(String(from + index)),
    offset: String(from + index),
    timestamp: "0",
    attributes: 0,
    headers: {},
  }));
  return { topic: "t", partition: 0, fetchedOffset, nextOffset: to, endOffset: 100, messages };
}

/** A handler that goes on when it is told to. */
function gated() {
  const seen: number[] = [];
  const gates: (() => void)[] = [];
  const handler: EventHandler = async ([message]) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    seen.push(Number(Buffer.from(message?.value ?? []).toString()));
  };
  const step = async (): Promise<void> => {
    await turn();
    gates.shift()?.();
    await turn();
  };
  return { seen, handler, step };
}

describe("partitions of a member", () => {
  it("are committed as far as they are handled", async () => {
    const { seen, handler, step } = gated();
    const { partitions } = open(handler);
    expect(partitions.assign("m", { t: [0, 1] })).toMatchObject({
      kept: [],
      added: [{ partition: 0 }, { partition: 1 }],
    });
    expect(partitions.accept(fetched(5, 8))).toMatchObject({ kind: "taken" });
    expect(partitions.uncommitted()).toEqual([]);
    await step();
    await step();
    expect(seen).toEqual([5, 6]);
    expect(partitions.uncommitted()).toEqual([{ topic: "t", partition: 0, offset: 7 }]);
    partitions.noteCommitted(partitions.uncommitted());
    expect(partitions.uncommitted()).toEqual([]);
    expect([...partitions.lags()][0]).toMatchObject({ lag: 93 });
  });

  it("that were revoked commit nothing, however late a handler ends", async () => {
    const { seen, handler, step } = gated();
    const { partitions } = open(handler);
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 3));
    await turn();
    partitions.assign("m", { t: [] });
    await step();
    await step();
    expect(seen).toEqual([0]);
    expect(partitions.uncommitted()).toEqual([]);
    expect(partitions.accept(fetched(3, 4))).toEqual({ kind: "foreign" });
  });

  it("that come back wait for the handler that still runs from before", async () => {
    const { seen, handler, step } = gated();
    const { partitions } = open(handler);
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 2));
    await turn();
    partitions.assign("m", { t: [] });
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 2));
    await turn();
    expect(seen).toEqual([]);
    await step();
    expect(seen).toEqual([0]);
    await step();
    await step();
    expect(seen).toEqual([0, 0, 1]);
    expect(partitions.uncommitted()).toMatchObject([{ offset: 2 }]);
  });

  it("that are kept go on where they are, and take nothing twice", async () => {
    const { seen, handler, step } = gated();
    const { partitions } = open(handler);
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 3));
    expect(partitions.assign("m", { t: [0] })).toEqual({ kept: [{ topic: "t", partition: 0, offset: 3 }], added: [] });
    partitions.accept(fetched(0, 5));
    for (let count = 0; count < 6; count += 1) await step();
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it("begin anew under another member id: somebody else may have had them", () => {
    const { handler } = gated();
    const { partitions } = open(handler);
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 3));
    expect(partitions.assign("other", { t: [0] })).toMatchObject({ kept: [], added: [{ partition: 0 }] });
  });

  it("never skip what was not taken, unless the broker does not have it", () => {
    const { handler } = gated();
    const { partitions, skipped } = open(handler);
    partitions.assign("m", { t: [0] });
    partitions.accept(fetched(0, 3));
    expect(partitions.accept(fetched(7, 9))).toEqual({ kind: "gap", offset: 3 });
    // A hole within what was asked for is compaction's.
    expect(partitions.accept(fetched(5, 6, 3))).toMatchObject({ kind: "taken" });
    expect(partitions.accept(fetched(8, 9))).toEqual({ kind: "gap", offset: 6 });
    expect(partitions.accept(fetched(8, 9))).toMatchObject({ kind: "taken" });
    expect(skipped).toEqual([[0, 6, 8]]);
  });
});
