import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

test("formats and parses like Date over ten thousand years", () => {
  const epochMs = fc.integer({ min: Date.UTC(0, 0, 1) - 1_900 * 366 * 86_400_000 + 0, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(epochMs, (ms) => {
      fc.pre(new Date(ms).getUTCFullYear() >= 0);
      expect(formatTimestamp(ms)).toBe(new Date(ms).toISOString());
      expect(parseTimestamp(formatTimestamp(ms))).toBe(ms);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31t12:00:00z", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31 12:00:00.5+02:00", Date.UTC(2026, 0, 31, 10, 0, 0, 500)],
  ["2026-01-31T12:00:00.123456789-00:30", Date.UTC(2026, 0, 31, 12, 30, 0, 123)],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
])("%s", (text, ms) => {
  expect(parseTimestamp(text)).toBe(ms);
});

test.each([
  "2026-01-31",
  "2026-01-31T12:00:00",
  "2026-13-01T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:60:00Z",
  "2026-01-01T00:00:61Z",
  "2026-01-01T00:00:00+24:00",
  "tomorrow",
])("%s is no time", (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});
