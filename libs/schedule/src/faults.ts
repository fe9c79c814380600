import { isTimeZone, parseCron } from "./cron.ts";
import { MAX_CRON_LENGTH, MAX_INTERVAL_MS, MAX_JITTER_MS, MIN_INTERVAL_MS } from "./limits.ts";
import { nextTime } from "./next-time.ts";
import type { Timing } from "./timing.ts";

/** Something that makes a timing useless. */
export interface TimingFault {
  field: "cron" | "time_zone" | "interval" | "offset" | "jitter" | "end_at";
  /** What is wrong, without the name of the field. */
  message: string;
  /** What to write instead. */
  remedy: string;
}

const CRON_REMEDY = 'minute hour day month weekday, e.g. "0 2 * * *" for every night at two';

/** Everything that is wrong with a timing; empty when it can be used. */
export function findTimingFaults(timing: Timing): TimingFault[] {
  const faults = findRecurrenceFaults(timing);
  const { jitterMs = 0, startAtMs, endAtMs } = timing;
  if (!(jitterMs >= 0 && jitterMs <= MAX_JITTER_MS)) {
    faults.push({ field: "jitter", message: `is ${jitterMs} ms`, remedy: "from 0 to one hour" });
  }
  if (startAtMs !== undefined && endAtMs !== undefined && endAtMs < startAtMs) {
    faults.push({ field: "end_at", message: "is before start_at", remedy: "let the schedule end after it begins" });
  } else if (faults.length === 0 && endAtMs !== undefined && nextTime(timing, (startAtMs ?? 0) - 1) === undefined) {
    faults.push({ field: "end_at", message: "comes before the first time", remedy: "end later, or start more often" });
  }
  return faults;
}

function findRecurrenceFaults({ recurrence }: Timing): TimingFault[] {
  if (recurrence.kind === "cron") return findCronFaults(recurrence.cron, recurrence.timeZone);
  if (recurrence.kind === "at") return [];
  const { intervalMs, offsetMs } = recurrence;
  if (!(intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS)) {
    const remedy = "from one second to 366 days; what must happen more often belongs into one execution";
    return [{ field: "interval", message: `is ${intervalMs} ms`, remedy }];
  }
  if (offsetMs >= 0 && offsetMs < intervalMs) return [];
  return [
    { field: "offset", message: `is ${offsetMs} ms`, remedy: `from 0 to less than the interval, ${intervalMs} ms` },
  ];
}

function findCronFaults(cron: string, timeZone: string): TimingFault[] {
  if (!isTimeZone(timeZone)) {
    const message = `is ${JSON.stringify(timeZone.slice(0, 64))}, which is no time zone`;
    return [{ field: "time_zone", message, remedy: "an IANA name, e.g. Europe/Berlin, America/New_York or UTC" }];
  }
  if (cron.length > MAX_CRON_LENGTH) {
    return [{ field: "cron", message: `has ${cron.length} characters`, remedy: `at most ${MAX_CRON_LENGTH}` }];
  }
  try {
    parseCron(cron, timeZone);
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message.replace(/^CronPattern: /, "")}`;
    return [{ field: "cron", message, remedy: CRON_REMEDY }];
  }
  if (nextTime({ recurrence: { kind: "cron", cron, timeZone } }, 0) !== undefined) return [];
  return [{ field: "cron", message: "never comes: no month has such a day", remedy: "L is the last day of a month" }];
}
