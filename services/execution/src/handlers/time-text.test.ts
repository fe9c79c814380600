import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { timeText } from "./time-text.ts";

it.each([
  ["a time", 1_700_000_000n, 5_000_000, "2023-11-14T22:13:20.005Z"],
  ["the last nanosecond", 253_402_300_799n, 999_999_999, "9999-12-31T23:59:59.999Z"],
  ["the first second", -62_135_596_800n, 0, "0001-01-01T00:00:00.000Z"],
  ["a time before the first", -62_167_219_201n, 0, "0001-01-01T00:00:00.000Z"],
  ["a time that no Date can be", -8_640_000_000_001n, 0, "0001-01-01T00:00:00.000Z"],
  ["a time after the last", 8_640_000_000_001n, 0, "9999-12-31T23:59:59.999Z"],
])("writes %s", (_, seconds, nanos, text) => {
  expect(timeText(create(TimestampSchema, { seconds, nanos }))).toBe(text);
});

it("writes nothing where there is no bound", () => {
  expect(timeText(undefined)).toBe("");
});
