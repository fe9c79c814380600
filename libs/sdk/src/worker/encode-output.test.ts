import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeOutput } from "./encode-output.ts";
import { TaskError } from "./task-error.ts";

const LIMITS = { outputMaxBytes: 1_000, outputMaxDepth: 10 };
const encode = (output: unknown) => encodeOutput(output, LIMITS);

it("writes JSON, leaves undefined fields out, and asks toJSON", () => {
  expect(encode(undefined)).toBe("null");
  expect(encode({ a: 1, b: undefined, c: [null, "x", true], d: new Date(0) })).toBe(
    '{"a":1,"c":[null,"x",true],"d":"1970-01-01T00:00:00.000Z"}',
  );
});

it("gives back every JSON value as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = encodeOutput(value, { outputMaxBytes: 10_000_000, outputMaxDepth: 100 });
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

const circle: Record<string, unknown> = {};
circle["self"] = circle;

it.each<[unknown, string]>([
  [Number.NaN, "output is NaN"],
  [{ a: [0, Number.POSITIVE_INFINITY] }, "output.a[1] is Infinity"],
  [[undefined], "output[0] is undefined"],
  [{ f: () => 1 }, "output.f is a function"],
  [Symbol("s"), "output is a symbol"],
  [{ n: 1n }, "output.n is a bigint"],
  [{ m: new Map() }, "output.m is a Map"],
  [new Set(), "output is a Set"],
  [{ p: Promise.resolve() }, "output.p is a Promise"],
  [new Uint8Array(1), "output is a Uint8Array"],
  [circle, "nested too deeply, or contains itself"],
])("refuses %o", (output, message) => {
  expect(() => encode(output)).toThrow(message);
  expect(() => encode(output)).toThrow(TaskError);
});

it("counts bytes, not characters", () => {
  expect(encode("x".repeat(998))).toHaveLength(1_000);
  expect(() => encode("x".repeat(999))).toThrow("the output is 1001 bytes of JSON, the limit is 1000");
  expect(() => encode("ä".repeat(500))).toThrow("the output is 1002 bytes");
});
