import { expect, test } from "vitest";
import { boundFailure, cutText } from "./failure.ts";
import { MAX_FAILURE_DETAILS_BYTES, MAX_FAILURE_MESSAGE_LENGTH, MAX_FAILURE_TYPE_LENGTH } from "./limits.ts";

test("a failure that fits stays as it is", () => {
  const failure = { type: "x", message: "m", details: { a: 1 }, retryAfterMs: 5, retryable: true };
  expect(boundFailure(failure)).toEqual(failure);
});

test("long texts are cut and large details left out", () => {
  const bounded = boundFailure({
    type: "t".repeat(1_000),
    message: "m".repeat(100_000),
    details: "d".repeat(MAX_FAILURE_DETAILS_BYTES),
  });
  expect(bounded.type).toHaveLength(MAX_FAILURE_TYPE_LENGTH);
  expect(bounded.message).toHaveLength(MAX_FAILURE_MESSAGE_LENGTH);
  expect(bounded.message.endsWith("m…")).toBe(true);
  expect(bounded).not.toHaveProperty("details");
});

test("a cut does not split a character", () => {
  expect(cutText("ab😀cd", 4)).toBe("ab…");
  expect(cutText("ab😀cd", 5)).toBe("ab😀…");
  expect(cutText("ab😀cd", 6)).toBe("ab😀cd");
});
