import type { ActionBody } from "../draft.ts";
import { readDuration } from "../fields.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_ID_LENGTH } from "../limits.ts";
import type { SourceMap } from "../source/source-node.ts";
import { isText, readCondition, readTemplate, rejectExpression, useTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

export const WAIT_PARAMS = ["duration", "until", "signal", "event", "key", "filter", "on_timeout"] as const;

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** A wait has a duration, or a time, or a signal or event with one of them or without. */
export function readWait(reader: NodeReader, params: SourceMap): ActionBody | undefined {
  const { fields } = reader;
  const duration = readWaitDuration(reader);
  const until = readUntil(reader);
  rejectExpression(fields, "signal", 'write it out; what tells one wait from another is its "key"');
  const signal = fields.text("signal", MAX_ID_LENGTH);
  rejectExpression(fields, "event", 'write it out; what tells one wait from another is its "key", or a "filter"');
  const event = fields.text("event", MAX_ID_LENGTH);
  const filterAt = fields.find("filter");
  const filterReader = { ...reader, marks: { ...reader.marks, names: [...(reader.marks?.names ?? []), "event"] } };
  const filter = filterAt === undefined ? undefined : readCondition(filterReader, filterAt, '"filter" of a wait');
  const key = readTemplate(reader, "key");
  const onTimeout = fields.oneOf("on_timeout", ["fail", "continue"]);
  const has = (name: string) => fields.find(name) !== undefined;
  if (has("until") && has("duration")) {
    fields.report.add(
      "conflicting-fields",
      fields.find("until")!,
      '"until" stands beside "duration"',
      "a wait has a time or a duration",
    );
  }
  if (has("signal") && has("event")) {
    const message = '"event" stands beside "signal"';
    fields.report.add("conflicting-fields", fields.find("event")!, message, "a wait is for one of them");
  }
  if (!has("until") && !has("duration") && !has("signal") && !has("event")) {
    fields.report.add(
      "missing-field",
      params,
      'a wait needs "duration", "until", "signal" or "event"',
      "e.g. params: { duration: 5m }",
    );
    return undefined;
  }
  checkUseless(reader);
  return {
    action: "wait",
    ...(duration === undefined ? {} : { duration }),
    ...(until === undefined ? {} : { until }),
    ...(signal === undefined ? {} : { signal }),
    ...(event === undefined ? {} : { event }),
    ...(filter === undefined ? {} : { filter: filter.source }),
    ...(key === undefined ? {} : { key: key.value }),
    ...(onTimeout === undefined ? {} : { onTimeout }),
  };
}

function checkUseless({ fields }: NodeReader): void {
  const has = (name: string) => fields.find(name) !== undefined;
  const key = fields.find("key");
  const onTimeout = fields.find("on_timeout");
  const filter = fields.find("filter");
  if (key !== undefined && !has("signal") && !has("event")) {
    const message = '"key" says which signals or events count, and the wait has neither "signal" nor "event"';
    fields.report.add("useless-wait-field", key, message, "add the name of the signal or event, or remove the key");
  }
  if (filter !== undefined && !has("event")) {
    const message = '"filter" says which events count, and the wait has no "event"';
    fields.report.add("useless-wait-field", filter, message, "add the name of the event; of signals the key says it");
  }
  if (onTimeout !== undefined && (!(has("signal") || has("event")) || !(has("duration") || has("until")))) {
    const message = '"on_timeout" says what follows when a signal or event has not come in time';
    const hint = "it needs a signal or event, and a duration or until: how long to wait for it";
    fields.report.add("useless-wait-field", onTimeout, message, hint);
  }
}

function readWaitDuration(reader: NodeReader): number | string | undefined {
  const { fields } = reader;
  const at = fields.find("duration");
  if (at === undefined) return undefined;
  if (!isText(at) || !at.value.includes("${")) return readDuration(at, '"duration" of a wait', fields.report);
  useTemplate(reader, at);
  return at.value;
}

function readUntil(reader: NodeReader): string | undefined {
  const { fields } = reader;
  const at = fields.find("until");
  const until = fields.text("until", MAX_DESCRIPTION_LENGTH);
  if (at === undefined || until === undefined) return undefined;
  if (until.includes("${")) useTemplate(reader, at);
  else if (!RFC3339.test(until)) {
    fields.report.add(
      "bad-duration",
      at,
      `"until" is ${JSON.stringify(until.slice(0, 40))}, which is no time`,
      'e.g. "2030-01-31T08:00:00Z" or "${input.due}"',
    );
  }
  return until;
}
