import { expect, it } from "vitest";
import { toFailure } from "./failure.ts";
import { BusinessError, TaskError } from "./task-error.ts";

it("carries what a TaskError says", () => {
  const error = new TaskError("t", "m", { retryable: false, retryAfterMs: 1.2, details: { a: 1 } });
  expect(toFailure(error, 100)).toMatchObject({
    type: "t",
    message: "m",
    nonRetryable: true,
    retryAfterMs: 2n,
    details: { form: { value: '{"a":1}' } },
  });
});

it("tells a business exception from a technical failure", () => {
  const declined = toFailure(new BusinessError("card_declined", "no", { details: { code: 51 } }), 100);
  expect(declined).toMatchObject({ type: "card_declined", business: true, nonRetryable: false });
  expect(toFailure(new TaskError("t", "m"), 100).business).toBe(false);
  expect(toFailure(new Error("x"), 100).business).toBe(false);
});

it("leaves out details that are too large or no JSON, and keeps the failure", () => {
  const large = toFailure(new TaskError("t", "m", { details: "x".repeat(200) }), 100);
  expect([large.message, large.details]).toEqual(["m", undefined]);
  expect(toFailure(new TaskError("t", "m", { details: 1n as never }), 100).details).toBeUndefined();
  expect(toFailure(new TaskError("t", "m", { retryAfterMs: Number.NaN }), 100).retryAfterMs).toBe(0n);
});

it("cuts long messages at a character, within 8 KiB of UTF-8", () => {
  const { message } = toFailure(new Error("ä€".repeat(5_000)), 100);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(8_192);
  expect(Buffer.byteLength(message)).toBeGreaterThan(8_180);
  expect(message).toMatch(/[ä€]\.\.\. \(cut\)$/);
  expect(toFailure(new TaskError("t".repeat(500), "m"), 100).type).toHaveLength(128);
});

it.each<[unknown, string, string]>([
  [new RangeError("r"), "RangeError", "r"],
  [new Error(""), "Error", "Error"],
  ["text", "Error", "the handler threw text"],
  [{ code: 5 }, "Error", 'the handler threw {"code":5}'],
  [undefined, "Error", "the handler threw undefined"],
  [null, "Error", "the handler threw null"],
  [
    new Proxy(new Error("hostile"), {
      get() {
        throw new Error("no");
      },
    }),
    "Error",
    "the handler threw something that cannot be described",
  ],
])("describes whatever is thrown: %#", (thrown, type, message) => {
  expect(toFailure(thrown, 100)).toMatchObject({ type, message, nonRetryable: false });
});
