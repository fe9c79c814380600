import { cronTimesBefore, nextCronTime } from "./cron.ts";
import type { Recurrence, Timing } from "./timing.ts";

/** The first time strictly after a moment, without jitter; undefined when none is left. */
export function nextTime({ recurrence, startAtMs, endAtMs }: Timing, afterMs: number): number | undefined {
  const from = startAtMs === undefined ? afterMs : Math.max(afterMs, startAtMs - 1);
  const time = nextOf(recurrence, from);
  return time === undefined || (endAtMs !== undefined && time > endAtMs) ? undefined : time;
}

export interface DueTimes {
  /** Ascending. */
  times: number[];
  /** There were more of them; those that are given are the latest. */
  more: boolean;
}

/** The times after one moment and up to another, the latest `most` of them. Takes time by `most`, not by the stretch. */
export function dueTimes(timing: Timing, afterMs: number, untilMs: number, most: number): DueTimes {
  const times: number[] = [];
  let time = nextTime(timing, afterMs);
  for (; time !== undefined && time <= untilMs; time = nextTime(timing, time)) {
    if (times.length === most) return { times: latest(timing, untilMs, most), more: true };
    times.push(time);
  }
  return { times, more: false };
}

/** Only asked when there are more than `most` of them, so that all of these are within the bounds. */
function latest({ recurrence, endAtMs }: Timing, untilMs: number, most: number): number[] {
  const lastMs = endAtMs === undefined ? untilMs : Math.min(untilMs, endAtMs);
  switch (recurrence.kind) {
    case "cron":
      return cronTimesBefore(recurrence.cron, recurrence.timeZone, lastMs + 1, most);
    case "interval": {
      const last = intervalAtOrBefore(recurrence, lastMs);
      return Array.from({ length: most }, (_, index) => last - (most - 1 - index) * recurrence.intervalMs);
    }
    case "at":
      return [recurrence.atMs];
  }
}

function nextOf(recurrence: Recurrence, afterMs: number): number | undefined {
  switch (recurrence.kind) {
    case "cron":
      return nextCronTime(recurrence.cron, recurrence.timeZone, afterMs);
    case "interval":
      return intervalAtOrBefore(recurrence, afterMs) + recurrence.intervalMs;
    case "at":
      return recurrence.atMs > afterMs ? recurrence.atMs : undefined;
  }
}

function intervalAtOrBefore(
  { intervalMs, offsetMs }: Extract<Recurrence, { kind: "interval" }>,
  timeMs: number,
): number {
  return Math.floor((timeMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}
