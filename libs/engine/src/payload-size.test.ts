import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "./json.ts";
import { MAX_PAYLOAD_DEPTH } from "./limits.ts";
import { approximateBytes, findSizeFault } from "./payload-size.ts";

const bytesOf = (value: Json) => new TextEncoder().encode(JSON.stringify(value)).length;

function nest(levels: number): Json {
  let value: Json = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

test("the exact size decides, to the byte", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const bytes = bytesOf(value as Json);
      expect(findSizeFault(value as Json, bytes)).toBeUndefined();
      expect(findSizeFault(value as Json, bytes - 1)).toContain(`is ${bytes} bytes`);
    }),
    { numRuns: 500 },
  );
});

test("the true size is at most six times the approximate one", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      expect(bytesOf(value as Json)).toBeLessThanOrEqual(6 * approximateBytes(value as Json));
    }),
    { numRuns: 500 },
  );
});

test("depth has a limit, and no depth overflows the stack", () => {
  expect(findSizeFault(nest(MAX_PAYLOAD_DEPTH), 1_000_000)).toBeUndefined();
  expect(findSizeFault(nest(MAX_PAYLOAD_DEPTH + 1), 1_000_000)).toContain("nested deeper than 100 levels");
  expect(findSizeFault(nest(100_000), 1_000_000)).toContain("nested deeper");
});
