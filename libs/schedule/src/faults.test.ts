import { describe, expect, it } from "vitest";
import { findTimingFaults, jitterOf, nextTime, type Timing } from "./index.ts";

const cron = (text: string, timeZone = "UTC"): Timing => ({ recurrence: { kind: "cron", cron: text, timeZone } });
const every = (intervalMs: number, offsetMs = 0): Timing => ({
  recurrence: { kind: "interval", intervalMs, offsetMs },
});

describe("faults", () => {
  it.each<[string, Timing, string]>([
    ["too few fields", cron("0 2 *"), "cron it has 3 fields; five are needed, or six with seconds first"],
    ["years", cron("0 0 0 1 1 * 2030"), "cron it has 7 fields"],
    ["a minute that no hour has", cron("61 2 * * *"), "cron Invalid value for minute: 61"],
    ["a word that is no time", cron("@reboot"), "cron it has 1 fields"],
    ["a date", cron("2030-01-01T00:00:00Z"), "cron it has 1 fields"],
    ["a day that no month has", cron("0 0 30 2 *"), "cron never comes"],
    ["an expression without end", cron(`${"0,".repeat(200)}0 0 * * *`), "cron has 409 characters"],
    ["an unknown zone", cron("0 2 * * *", "Europe/Berln"), 'time_zone is "Europe/Berln", which is no time zone'],
    ["too often", every(999), "interval is 999 ms"],
    ["not a number", every(Number.NaN), "interval is NaN ms"],
    ["an offset as long as the interval", every(60_000, 60_000), "offset is 60000 ms"],
    ["too much jitter", { ...every(60_000), jitterMs: 3_600_001 }, "jitter is 3600001 ms"],
    ["an end before the beginning", { ...every(60_000), startAtMs: 2, endAtMs: 1 }, "end_at is before start_at"],
    [
      "an end before the first time",
      { ...cron("0 0 1 1 *"), startAtMs: 1, endAtMs: 2 },
      "end_at comes before the first time",
    ],
  ])("%s", (_what, timing, expected) => {
    const [fault] = findTimingFaults(timing);
    expect(`${fault?.field} ${fault?.message.replace("cannot be read: ", "")}`).toContain(expected);
    expect(fault?.remedy).not.toBe("");
  });

  it.each([
    cron("0 2 * * *", "Europe/Berlin"),
    cron("*/10 * * * * *"),
    cron("@daily"),
    cron("0 0 L * *"),
    every(1_000, 999),
  ])("none in %j", (timing) => {
    expect(findTimingFaults(timing)).toEqual([]);
    expect(nextTime(timing, 0)).toBeGreaterThan(0);
  });
});

describe("jitter", () => {
  it("is the same for the same schedule and time, and spreads schedules over the whole of it", () => {
    const timing = { ...every(3_600_000), jitterMs: 60_000 };
    const drawn = Array.from({ length: 200 }, (_, index) => jitterOf(timing, `s${index}`, 7_200_000));
    expect(drawn).toEqual(Array.from({ length: 200 }, (_, index) => jitterOf(timing, `s${index}`, 7_200_000)));
    for (const jitter of drawn) expect(jitter >= 0 && jitter < 60_000).toBe(true);
    const quarters = new Set(drawn.map((jitter) => Math.floor(jitter / 15_000)));
    expect(quarters.size).toBe(4);
  });

  it("never reaches the next time", () => {
    const timing = { ...every(1_000), jitterMs: 3_600_000 };
    for (let time = 0; time < 100_000; time += 1_000) expect(jitterOf(timing, "s", time)).toBeLessThan(1_000);
  });
});
