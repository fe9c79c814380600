import { parseTimestamp } from "@heddle/engine";
import { findTimingFaults, MAX_CRON_LENGTH } from "@heddle/schedule";
import type { Recurrence, Timing } from "@heddle/schedule";
import type { StartsDraft } from "../draft.ts";
import { jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_NAME_LENGTH } from "../limits.ts";
import { OVERLAPS } from "./starts.ts";

/** All but `id`, which a trigger node has as its own. */
export const SCHEDULE_FIELDS = [
  "cron",
  "interval",
  "at",
  "time_zone",
  "offset",
  "jitter",
  "start_at",
  "end_at",
  "max_starts",
  "overlap",
  "catch_up_window",
  "input",
  "paused",
] as const;

/** Reads what a schedule says beside its id; undefined when it has no times that can be used, which is reported. */
export function readSchedule(fields: Fields, id: string): StartsDraft["schedules"][number] | undefined {
  const timing = readTiming(fields);
  const maxStarts = fields.integer("max_starts", { min: 1, max: Number.MAX_SAFE_INTEGER });
  const overlap = fields.oneOf("overlap", OVERLAPS);
  const catchUpWindowMs = fields.durationMs("catch_up_window");
  const inputAt = fields.object("input");
  const paused = fields.boolean("paused");
  if (timing === undefined) return undefined;
  return {
    id,
    at: fields.map,
    timing,
    ...(maxStarts === undefined ? {} : { maxStarts }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(catchUpWindowMs === undefined ? {} : { catchUpWindowMs }),
    ...(inputAt === undefined ? {} : { input: jsonObjectOf(inputAt), inputAt }),
    ...(paused === undefined ? {} : { paused }),
  };
}

function readTiming(fields: Fields): Timing | undefined {
  const recurrence = readRecurrence(fields);
  const startAtMs = readInstant(fields, "start_at");
  const endAtMs = readInstant(fields, "end_at");
  const jitterMs = fields.durationMs("jitter");
  if (recurrence === undefined) return undefined;
  const timing: Timing = {
    recurrence,
    ...(startAtMs === undefined ? {} : { startAtMs }),
    ...(endAtMs === undefined ? {} : { endAtMs }),
    ...(jitterMs === undefined ? {} : { jitterMs }),
  };
  const faults = findTimingFaults(timing);
  for (const { field, message, remedy } of faults) {
    fields.report.add(
      "bad-schedule",
      fields.find(field) ?? fields.map,
      `"${field}" of ${fields.what} ${message}`,
      remedy,
    );
  }
  return faults.length === 0 ? timing : undefined;
}

function readRecurrence(fields: Fields): Recurrence | undefined {
  const { report, what, map } = fields;
  const given = ["cron", "interval", "at"].filter((name) => fields.find(name) !== undefined);
  const [form] = given;
  const hint = 'e.g. cron: "0 2 * * *", interval: 15m, or at: 2030-01-31T08:00:00Z';
  if (form === undefined) {
    report.add("missing-field", map, `${what} needs "cron", "interval" or "at"`, hint);
    return undefined;
  }
  if (given.length > 1) {
    report.add(
      "conflicting-fields",
      fields.find(given[1]!)!,
      `${what} has "${given.join('" and "')}"`,
      "keep one of them",
    );
    return undefined;
  }
  rejectBeside(fields, "time_zone", form, "cron");
  rejectBeside(fields, "offset", form, "interval");
  if (form === "cron") {
    // Longer ones are refused where the expression is looked at, with its own words.
    const cron = fields.text("cron", MAX_CRON_LENGTH);
    const timeZone = fields.text("time_zone", MAX_NAME_LENGTH) ?? "UTC";
    return cron === undefined ? undefined : { kind: "cron", cron, timeZone };
  }
  if (form === "interval") {
    const intervalMs = fields.durationMs("interval");
    const offsetMs = fields.durationMs("offset") ?? 0;
    return intervalMs === undefined ? undefined : { kind: "interval", intervalMs, offsetMs };
  }
  const atMs = readInstant(fields, "at");
  return atMs === undefined ? undefined : { kind: "at", atMs };
}

/** What would have no effect was meant to have one. */
function rejectBeside(fields: Fields, name: string, form: string, needed: string): void {
  const at = fields.find(name);
  if (at === undefined || form === needed) return;
  fields.report.add(
    "conflicting-fields",
    at,
    `"${name}" of ${fields.what} stands beside "${form}"`,
    `it is for "${needed}"`,
  );
}

function readInstant(fields: Fields, name: string): number | undefined {
  const at = fields.find(name);
  const text = fields.text(name, MAX_NAME_LENGTH);
  if (at === undefined || text === undefined) return undefined;
  const timeMs = parseTimestamp(text);
  if (timeMs !== undefined) return timeMs;
  const shown = JSON.stringify(text.slice(0, 40));
  fields.report.add(
    "bad-schedule",
    at,
    `"${name}" of ${fields.what} is ${shown}, which is no time`,
    "RFC 3339 with its zone, e.g. 2030-01-31T08:00:00Z or 2030-01-31T08:00:00+01:00",
  );
  return undefined;
}
