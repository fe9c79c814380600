import { Cron } from "croner";
import { PARSED_CRONS } from "./limits.ts";

const FIELDS = /^\S+(?:\s+\S+){4,5}$/;

/** Parsing takes as long as finding a time, and the same expression is asked again and again. */
const parsed = new Map<string, Cron>();

/** @throws Error that says what is wrong with the expression */
export function parseCron(cron: string, timeZone: string): Cron {
  const key = `${timeZone} ${cron}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const text = cron.trim();
  // The parser would also take dates and words such as @reboot, which are no times that come again.
  if (!FIELDS.test(text) && !/^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/i.test(text)) {
    throw new Error(
      `it has ${text === "" ? 0 : text.split(/\s+/).length} fields; five are needed, or six with seconds first`,
    );
  }
  const made = new Cron(text, { timezone: timeZone, mode: "5-or-6-parts", paused: true });
  if (parsed.size >= PARSED_CRONS) for (const oldest of parsed.keys()) if (parsed.delete(oldest)) break;
  parsed.set(key, made);
  return made;
}

/** The first time strictly after a moment; undefined when none will ever come. */
export function nextCronTime(cron: string, timeZone: string, afterMs: number): number | undefined {
  return parseCron(cron, timeZone).nextRun(new Date(afterMs))?.getTime();
}

/** The latest times before a moment, ascending. */
export function cronTimesBefore(cron: string, timeZone: string, beforeMs: number, most: number): number[] {
  const times = parseCron(cron, timeZone).previousRuns(most, new Date(beforeMs));
  return times.map((time) => time.getTime()).reverse();
}

export function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
