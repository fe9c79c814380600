import { create } from "@bufbuild/protobuf";
import { TaskResultSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { DEFAULT_WORKER_LIMITS } from "../limits.ts";
import { createOutbox } from "./outbox.ts";

const result = (taskId: string, output = "") =>
  create(TaskResultSchema, { taskId, fencingToken: 1n, output: { form: { case: "json", value: output } } });

it("keeps results until they are acknowledged, in numbered frames", () => {
  const outbox = createOutbox(DEFAULT_WORKER_LIMITS);
  expect(outbox.takeFrames()).toEqual([]);
  outbox.add(result("a"));
  outbox.add(result("b"));
  expect(outbox.takeFrames().map(({ number, results }) => [number, results.length])).toEqual([[1, 2]]);
  outbox.add(result("c"));
  expect(outbox.held().map(({ taskId }) => taskId)).toEqual(["a", "b", "c"]);
  outbox.takeFrames();
  outbox.acknowledge(1);
  expect(outbox.unacknowledged().map(({ number }) => number)).toEqual([2]);
  outbox.acknowledge(1);
  outbox.acknowledge(9);
  expect(outbox).toMatchObject({ size: 0, full: false });
});

it("forgets results that nobody waits for, sent or not, and frames that become empty", () => {
  const outbox = createOutbox(DEFAULT_WORKER_LIMITS);
  outbox.add(result("a"));
  outbox.takeFrames();
  outbox.add(result("b"));
  outbox.add(result("c"));
  outbox.takeFrames();
  outbox.add(result("d"));
  outbox.drop(new Set(["a", "b", "d", "unknown"]));
  expect(
    outbox.unacknowledged().map(({ number, results }) => [number, ...results.map(({ taskId }) => taskId)]),
  ).toEqual([[2, "c"]]);
  expect(outbox.takeFrames()).toEqual([]);
  expect(outbox.size).toBe(1);
});

it("is full by count or by size, and no longer after the acknowledgement", () => {
  const limits = { ...DEFAULT_WORKER_LIMITS, unacknowledgedMaxResults: 2, unacknowledgedMaxChars: 100 };
  const byCount = createOutbox(limits);
  byCount.add(result("a"));
  expect(byCount.full).toBe(false);
  byCount.add(result("b"));
  expect(byCount.full).toBe(true);
  byCount.takeFrames();
  byCount.acknowledge(1);
  expect(byCount.full).toBe(false);
  const bySize = createOutbox(limits);
  bySize.add(result("a", "x".repeat(100)));
  expect(bySize.full).toBe(true);
  bySize.drop(new Set(["a"]));
  expect(bySize.full).toBe(false);
});

it("loses nothing and repeats nothing, whatever the order of events", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("add" as const), chars: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ do: fc.constant("take" as const) }),
    fc.record({ do: fc.constant("acknowledge" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const outbox = createOutbox({ ...DEFAULT_WORKER_LIMITS, frameMaxResults: 3, frameMaxChars: 40 });
      let added = 0;
      const acknowledged: string[] = [];
      let lastNumber = 0;
      for (const each of steps) {
        if (each.do === "add") outbox.add(result(`t${(added += 1)}`, "x".repeat(each.chars)));
        else if (each.do === "take") {
          for (const { number, results, chars } of outbox.takeFrames()) {
            expect(number).toBe((lastNumber += 1));
            expect(results.length).toBeLessThanOrEqual(3);
            expect(results.length === 1 || chars <= 40).toBe(true);
          }
        } else {
          const upTo = Math.floor(lastNumber * each.part);
          for (const { number, results } of outbox.unacknowledged()) {
            if (number <= upTo) acknowledged.push(...results.map(({ taskId }) => taskId));
          }
          outbox.acknowledge(upTo);
        }
      }
      const left = outbox.held().map(({ taskId }) => taskId);
      expect([...acknowledged, ...left]).toEqual(Array.from({ length: added }, (_, index) => `t${index + 1}`));
      expect(outbox.size).toBe(left.length);
    }),
  );
});
