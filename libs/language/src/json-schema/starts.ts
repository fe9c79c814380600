import { END_STATUSES, OVERLAPS } from "../starts/starts.ts";
import {
  type Schema,
  anyObject,
  condition,
  duration,
  flag,
  id,
  object,
  oneOf,
  oneOrMore,
  text,
  whole,
} from "./parts.ts";

/** Ends of executions that something waits for. */
export const STATUS: Schema = oneOrMore("Ends that count; `completed` without it.", { enum: [...END_STATUSES] });

export const SCHEDULE: Record<string, Schema> = {
  cron: text("Five fields, e.g. `0 2 * * *`."),
  interval: duration("Between two starts."),
  at: text("One time, RFC 3339."),
  time_zone: text("Of `cron`, e.g. Europe/Berlin; UTC without it."),
  offset: duration("Moves the times of `interval`."),
  jitter: duration("Each start is later by up to this."),
  start_at: text("No start before this time, RFC 3339."),
  end_at: text("No start after this time, RFC 3339."),
  max_starts: whole("Starts after which it is done.", 1, Number.MAX_SAFE_INTEGER),
  overlap: oneOf("What happens when the start before is still running.", OVERLAPS),
  catch_up_window: duration("How far back missed starts are caught up."),
  input: anyObject("Template of the input, over `schedule`."),
  paused: flag("It starts nothing until it is resumed."),
};

export const TRIGGER: Record<string, Schema> = {
  on: object("What it waits for.", { workflow: id("A workflow whose executions end."), status: STATUS }, ["workflow"]),
  filter: condition("Over `event`; only events for which it gives true start the workflow."),
  input: anyObject("Template of the input, over `event`."),
};

const NAMED: Record<string, Schema> = { id: id("Unique among its kind."), description: text("For people.") };

export const START_DEFINITIONS: Record<string, Schema> = {
  schedule: object("Starts the workflow at given times.", { ...NAMED, ...SCHEDULE }, ["id"]),
  trigger: object("Starts the workflow when something has happened.", { ...NAMED, ...TRIGGER }, ["id", "on"]),
};
