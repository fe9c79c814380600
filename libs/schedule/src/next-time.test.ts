import { assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { dueTimes, nextTime, type Recurrence, type Timing } from "./index.ts";

const at = (text: string): number => Date.parse(text);
const cron = (text: string, timeZone = "UTC"): Timing => ({ recurrence: { kind: "cron", cron: text, timeZone } });
const every = (intervalMs: number, offsetMs = 0): Timing => ({
  recurrence: { kind: "interval", intervalMs, offsetMs },
});

function list(timing: Timing, after: string, count: number): string[] {
  const times: string[] = [];
  let time: number | undefined = at(after);
  for (let index = 0; index < count; index += 1) {
    time = nextTime(timing, time);
    if (time === undefined) break;
    times.push(new Date(time).toISOString().replace(".000Z", "Z"));
  }
  return times;
}

describe("changes of clocks", () => {
  it.each<[string, string, string, string, string[]]>([
    [
      "takes a time that is left out when the clocks have changed",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    ],
    [
      "takes a time that comes twice once",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    ],
    [
      "goes on every half hour when an hour comes twice",
      "*/30 * * * *",
      "America/New_York",
      "2026-11-01T04:50:00Z",
      ["2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"],
    ],
    [
      "goes on every half hour when an hour is left out",
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:00:00Z",
      ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
    ],
    [
      "knows midnights that are left out",
      "0 0 * * *",
      "America/Havana",
      "2026-03-07T12:00:00Z",
      ["2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"],
    ],
    ["knows half hours between zones", "0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", ["2026-01-01T18:15:00Z"]],
    ["finds the next leap year", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z"]],
    ["takes seconds first", "*/20 0 0 * * *", "UTC", "2026-01-01T00:00:00.500Z", ["2026-01-01T00:00:20Z"]],
  ])("%s", (_what, text, zone, after, expected) => {
    expect(list(cron(text, zone), after, expected.length)).toEqual(expected);
  });
});

describe("intervals", () => {
  it("count from the epoch plus the offset, whoever asks", () => {
    expect(list(every(86_400_000, 7_200_000), "2026-01-01T02:00:00Z", 2)).toEqual([
      "2026-01-02T02:00:00Z",
      "2026-01-03T02:00:00Z",
    ]);
    expect(list(every(86_400_000, 7_200_000), "2026-01-01T01:59:59.999Z", 1)).toEqual(["2026-01-01T02:00:00Z"]);
  });
});

describe("bounds", () => {
  const bounded: Timing = {
    ...every(3_600_000),
    startAtMs: at("2026-01-01T03:00:00Z"),
    endAtMs: at("2026-01-01T05:00:00Z"),
  };

  it("are inclusive at both ends", () => {
    expect(list(bounded, "2025-01-01T00:00:00Z", 9)).toEqual([
      "2026-01-01T03:00:00Z",
      "2026-01-01T04:00:00Z",
      "2026-01-01T05:00:00Z",
    ]);
  });

  it("hold for the latest of many, too", () => {
    expect(dueTimes(bounded, 0, at("2030-01-01T00:00:00Z"), 2)).toEqual({
      times: [at("2026-01-01T04:00:00Z"), at("2026-01-01T05:00:00Z")],
      more: true,
    });
  });

  it("let a single time come once", () => {
    const once: Timing = { recurrence: { kind: "at", atMs: 1_000 } };
    expect([nextTime(once, 999), nextTime(once, 1_000)]).toEqual([1_000, undefined]);
  });
});

describe("the times of a stretch", () => {
  const recurrences = [
    cron("*/7 * * * *", "Europe/Berlin").recurrence,
    cron("30 2 * * *", "America/New_York").recurrence,
    cron("15 10,14 * * 1-5", "Australia/Lord_Howe").recurrence,
    every(60_000, 999).recurrence,
    every(86_400_000, 3_600_000).recurrence,
    { kind: "at", atMs: at("2026-03-29T01:30:00Z") },
  ] satisfies Recurrence[];
  const arbitrary = record({
    recurrence: constantFrom(...recurrences),
    after: integer({ min: at("2026-03-27T00:00:00Z"), max: at("2026-04-02T00:00:00Z") }),
    lengthMs: integer({ min: 0, max: 3 * 86_400_000 }),
    most: integer({ min: 1, max: 12 }),
  });

  it("are the latest of those that come one by one, over changes of clocks", () => {
    assert(
      property(arbitrary, ({ recurrence, after, lengthMs, most }) => {
        const timing: Timing = { recurrence };
        const all: number[] = [];
        let time = nextTime(timing, after);
        for (; time !== undefined && time <= after + lengthMs; time = nextTime(timing, time)) all.push(time);
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(dueTimes(timing, after, after + lengthMs, most)).toEqual({
          times: all.slice(-most),
          more: all.length > most,
        });
      }),
      { numRuns: 60 },
    );
  });
});
