import { expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

it.each([
  [0, "0ms"],
  [-5, "0ms"],
  [999.4, "999ms"],
  [999.6, "1.0s"],
  [3_440, "3.4s"],
  [59_940, "59.9s"],
  [59_960, "1m00s"],
  [125_000, "2m05s"],
  [3_599_600, "1h00m"],
  [5_400_000, "1h30m"],
  [86_399_999, "1d0h"],
  [270_000_000, "3d3h"],
])("formats %d ms as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1.5s", 1_500],
  ["10", 10_000],
  ["", undefined],
  ["5 minutes", undefined],
  ["-1s", undefined],
  ["s", undefined],
])("reads %j as %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
