import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["2d", 172_800_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  [" 1m 30s".replace(" 3", "3"), 90_000],
  ["0s", 0],
])("%s", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "5", "-5s", "5 s", "s", "1h30", "1e3s", "five minutes", "1w", "9".repeat(100) + "s"])(
  "%j is none",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
