import { expect, test } from "vitest";
import { TEST_RETRY } from "../test/support/plan-text.ts";
import { findRetryDelay } from "./retry.ts";

const FAILURE = { type: "x", message: "m" };
const failed = (attempt: number, nodeId = "a") => ({ executionId: "e", nodeId, attempt, elapsedMs: 0 });

test("the interval grows by its factor up to its cap", () => {
  const policy = { ...TEST_RETRY, maxAttempts: 100, backoff: 3, maxIntervalMs: 20_000 };
  expect([1, 2, 3, 4, 99].map((attempt) => findRetryDelay(policy, FAILURE, failed(attempt)))).toEqual([
    1_000, 3_000, 9_000, 20_000, 20_000,
  ]);
});

test("the last attempt, a final type and a worker's no are final", () => {
  expect(findRetryDelay(TEST_RETRY, FAILURE, failed(3))).toBeUndefined();
  expect(findRetryDelay({ ...TEST_RETRY, nonRetryable: ["x"] }, FAILURE, failed(1))).toBeUndefined();
  expect(findRetryDelay(TEST_RETRY, { ...FAILURE, retryable: false }, failed(1))).toBeUndefined();
});

test("the worker's delay counts when it is longer, for a day at most", () => {
  expect(findRetryDelay(TEST_RETRY, { ...FAILURE, retryAfterMs: 10 }, failed(1))).toBe(1_000);
  expect(findRetryDelay(TEST_RETRY, { ...FAILURE, retryAfterMs: 5_000 }, failed(1))).toBe(5_000);
  expect(findRetryDelay(TEST_RETRY, { ...FAILURE, retryAfterMs: 1e12 }, failed(1))).toBe(86_400_000);
});

test("a zero interval stays zero, however large the factor's power is", () => {
  const policy = { ...TEST_RETRY, maxAttempts: 1_000, initialIntervalMs: 0, backoff: 100 };
  expect(findRetryDelay(policy, FAILURE, failed(900))).toBe(0);
});

test("no attempt begins when the time of all of them is over", () => {
  const policy = { ...TEST_RETRY, maxAttempts: 100, maxElapsedMs: 10_000 };
  expect(findRetryDelay(policy, FAILURE, { ...failed(1), elapsedMs: 9_000 })).toBe(1_000);
  expect(findRetryDelay(policy, FAILURE, { ...failed(1), elapsedMs: 9_001 })).toBeUndefined();
  const total = { ...failed(1), totalTimeoutMs: 10_000 };
  expect(findRetryDelay(TEST_RETRY, FAILURE, { ...total, elapsedMs: 8_999 })).toBe(1_000);
  expect(findRetryDelay(TEST_RETRY, FAILURE, { ...total, elapsedMs: 9_000 })).toBeUndefined();
});

test("jitter spreads evenly over its part of the interval, and the same attempt always waits the same", () => {
  const policy = { ...TEST_RETRY, jitter: 0.4 };
  const delays = Array.from(
    { length: 10_000 },
    (_, i) => findRetryDelay(policy, FAILURE, failed(1, `n${i}`)) as number,
  );
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(600);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_000);
  const tenths = [0, 0, 0, 0];
  for (const delay of delays) tenths[Math.min(3, Math.floor((delay - 600) / 100))]!++;
  for (const count of tenths) expect(count).toBeGreaterThan(2_200);
  expect(findRetryDelay(policy, FAILURE, failed(1, "n7"))).toBe(delays[7]);
  expect(findRetryDelay(policy, FAILURE, failed(2, "n7"))).not.toBe(2 * (delays[7] as number));
});
