import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drainingError } from "./drain.ts";
import { createPushable, type Pushable } from "./pushable.ts";

describe("createPushable", () => {
  it("gives items in order, those pushed before and while it is read", async () => {
    const queue = createPushable<number>();
    queue.push(1);
    queue.push(2);
    const reading = collect(queue);
    await Promise.resolve();
    queue.push(3);
    await new Promise(setImmediate);
    queue.push(4);
    queue.end();
    expect(await reading).toEqual([1, 2, 3, 4]);
  });

  it("loses, doubles and reorders nothing, however pushes and reads interleave", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3000), { maxLength: 20 }),
        fc.integer({ min: 1, max: 700 }),
        async (bursts, max) => {
          const queue = createPushable<number>();
          const got: number[] = [];
          const reading = (async () => {
            for await (const batch of queue.batches(max)) {
              expect(batch.length).toBeGreaterThan(0);
              expect(batch.length).toBeLessThanOrEqual(max);
              got.push(...batch, ...(batch.length % 2 === 0 ? queue.drainBatch(max) : []));
            }
          })();
          let next = 0;
          for (const burst of bursts) {
            for (let i = 0; i < burst; i += 1) queue.push((next += 1));
            await (burst % 2 === 0 ? Promise.resolve() : new Promise(setImmediate));
          }
          queue.end();
          await reading;
          expect(got).toEqual(Array.from({ length: next }, (_, i) => i + 1));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("asks to hold back above the mark, says once when there is room, and refuses above the limit", async () => {
    let drained = 0;
    const queue = createPushable<number>({ maxItems: 8, highWaterMark: 4, onDrain: () => (drained += 1) });
    expect([1, 2, 3, 4, 5].map((item) => queue.push(item))).toEqual([true, true, true, false, false]);
    const iterator = queue[Symbol.asyncIterator]();
    for (let i = 0; i < 4; i += 1) await iterator.next();
    expect(drained).toBe(0);
    await iterator.next();
    expect(drained).toBe(1);
    expect(queue.push(6)).toBe(true);
    for (let item = 7; item <= 13; item += 1) queue.push(item);
    expect(queue.size).toBe(8);
    expect(() => queue.push(14)).toThrow(expect.objectContaining({ reason: "OVERLOADED" }));
  });

  it("fails after what waits", async () => {
    const queue = createPushable<number>();
    queue.push(1);
    queue.fail(new Error("boom"));
    queue.end();
    expect(queue.push(2)).toBe(false);
    const iterator = queue[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toThrow("boom");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("drops what waits when the client has gone", async () => {
    const abort = new AbortController();
    let closed = 0;
    const queue = createPushable<number>({ signal: abort.signal, onClosed: () => (closed += 1) });
    queue.push(1);
    abort.abort(new Error("gone"));
    expect(queue.size).toBe(0);
    expect(closed).toBe(1);
    await expect(collect(queue)).rejects.toThrow("gone");
    expect(closed).toBe(1);
  });

  it("wakes a reader that waits when the signal aborts", async () => {
    const abort = new AbortController();
    const reading = collect(createPushable<number>({ signal: abort.signal }));
    await Promise.resolve();
    abort.abort(new Error("gone"));
    await expect(reading).rejects.toThrow("gone");
  });

  it("still gives what waits when the server drains, then says so", async () => {
    const abort = new AbortController();
    const queue = createPushable<number>({ signal: abort.signal });
    queue.push(1);
    abort.abort(drainingError());
    const got: number[] = [];
    const reading = (async () => {
      for await (const item of queue) got.push(item);
    })();
    await expect(reading).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(got).toEqual([1]);
  });

  it("closes when its reader leaves", async () => {
    let closed = 0;
    const queue = createPushable<number>({ onClosed: () => (closed += 1) });
    queue.push(1);
    queue.push(2);
    for await (const _ of queue) break;
    expect(closed).toBe(1);
    expect(queue.closed).toBe(true);
    expect(queue.push(3)).toBe(false);
    expect(queue.size).toBe(0);
  });
});

async function collect<T>(queue: Pushable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of queue) all.push(item);
  return all;
}
