import fc from "fast-check";
import { expect, test } from "vitest";
import { createCommandQueue } from "./queue.ts";

type Step = { kind: "push" | "shift"; count: number } | { kind: "unshift"; count: number };
const steps = fc.array(
  fc.record({ kind: fc.constantFrom("push", "shift", "unshift"), count: fc.integer({ min: 0, max: 3_000 }) }),
  { maxLength: 12 },
) as fc.Arbitrary<Step[]>;

test("it is an array with the right ends, however it is used", () => {
  fc.assert(
    fc.property(steps, (story) => {
      const queue = createCommandQueue<number>();
      let model: number[] = [];
      let next = 0;
      for (const { kind, count } of story) {
        const fresh = Array.from({ length: count }, () => next++);
        const items = fresh.map((command) => ({ id: "", command, sizeBytes: 2 }));
        if (kind === "push") {
          for (const item of items) queue.push(item);
          model.push(...fresh);
        } else if (kind === "unshift") {
          queue.unshift(items);
          model = [...fresh, ...model];
        } else {
          for (let i = 0; i < count; i++)
            expect(queue.shift()).toMatchObject(model.length > 0 ? { command: model.shift() } : {});
        }
        expect(queue.length).toBe(model.length);
        expect(queue.sizeBytes).toBe(model.length * 2);
      }
    }),
    { numRuns: 30 },
  );
});
