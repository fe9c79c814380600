import { expect, it } from "vitest";
import { parseDurationMs } from "./duration.ts";

it.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1.5s", 1_500],
  ["45", 45_000],
  [2, 2_000],
  [-1, undefined],
  [Number.NaN, undefined],
  ["soon", undefined],
  ["5 m", undefined],
  ["", undefined],
])("%j is %j ms", (text, expected) => {
  expect(parseDurationMs(text)).toBe(expected);
});
