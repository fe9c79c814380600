import { expect, it } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

it.each([
  ["120", 120_000],
  ["0", 0],
  [" 1.5 ", 1_500],
  ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
  ["99999999999", 86_400_000],
  ["soon", 0],
  ["-5", 0],
  ["", 0],
  [undefined, 0],
  [null, 0],
])("reads %j as %i ms", (header, expected) => {
  expect(parseRetryAfter(header, NOW)).toBe(expected);
});
