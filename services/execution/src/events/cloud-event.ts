import { type BusEvent, DEFAULT_MAX_PAYLOAD_BYTES, findSizeFault, type Json, type JsonObject } from "@heddle/engine";
import type { EventMessage } from "@heddle/events";
import { cloudEventMaxCharacters as max } from "../domain/limits.ts";

/** What a CloudEvent of others says to those that wait. */
export interface HeardEvent {
  namespace: string;
  event: BusEvent;
}

/** Names the namespace of those that wait. An attribute of CloudEvents has lower-case letters and digits only, up to 20. */
const NAMESPACE_ATTRIBUTE = "heddlenamespace";

const STRUCTURED = "application/cloudevents+json";
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * Reads a record of Kafka as a CloudEvent 1.0, in binary or in structured mode, with JSON as its data: its type is the name of the event,
 * its subject the key, and source and id together are the id, so that copies are known as such.
 * @throws Error that says what is wrong with it, where, and what would be right
 */
export function readCloudEvent(message: EventMessage, defaults: { namespace: string; now: number }): HeardEvent {
  const { attributes, data } = isStructured(message) ? readStructured(message) : readBinary(message);
  const version = attribute(attributes, "specversion", 16);
  if (version !== "1.0") throw unreadable(message, `specversion is ${version}; it must be 1.0`);
  const id = attribute(attributes, "id", max.sourceAndId);
  const source = attribute(attributes, "source", max.sourceAndId - id.length);
  const key = optional(attributes, "subject", max.subject);
  const namespace = optional(attributes, NAMESPACE_ATTRIBUTE, max.namespace) ?? defaults.namespace;
  const fault = findSizeFault(data, DEFAULT_MAX_PAYLOAD_BYTES);
  if (fault !== undefined) throw unreadable(message, `the data ${fault}`);
  const event = {
    // A source is a reference, which has no blanks: no two pairs are the same text.
    id: `cloudevent/${namespace}/${source} ${id}`,
    name: attribute(attributes, "type", max.type),
    ...(key !== undefined && { key }),
    payload: data,
    executionId: "",
    workflowId: "",
    occurredAt: timeOf(attributes, defaults.now),
  };
  return { namespace, event };

  function attribute(from: JsonObject, name: string, maxCharacters: number): string {
    const value = optional(from, name, maxCharacters);
    if (value === undefined) throw unreadable(message, `the attribute ${name} is missing`);
    return value;
  }

  function optional(from: JsonObject, name: string, maxCharacters: number): string | undefined {
    const value = from[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string")
      throw unreadable(message, `the attribute ${name} is ${typeof value}; it must be a text`);
    if (value.length > maxCharacters) {
      throw unreadable(
        message,
        `the attribute ${name} has ${value.length} characters, and the limit is ${maxCharacters}`,
      );
    }
    return value;
  }

  function timeOf({ time }: JsonObject, now: number): number {
    if (time === undefined || time === null || time === "") return now;
    const at = typeof time === "string" && RFC3339.test(time) ? Date.parse(time) : Number.NaN;
    if (Number.isNaN(at))
      throw unreadable(message, `the attribute time is ${JSON.stringify(time)}; it must be an RFC 3339 time`);
    // The clock of others may be ahead. What is before 1970 is before every wait, and no id tells such a time.
    return Math.max(0, Math.min(at, now));
  }
}

function isStructured(message: EventMessage): boolean {
  const type = contentType(message);
  if (type.startsWith("application/cloudevents") && type !== STRUCTURED) {
    throw unreadable(message, `its content-type is ${type}; of structured events ${STRUCTURED} can be read`);
  }
  return type === STRUCTURED;
}

function readBinary(message: EventMessage): { attributes: JsonObject; data: Json } {
  const attributes: JsonObject = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (name.startsWith("ce_") && value !== undefined) attributes[name.slice("ce_".length)] = value;
  }
  if (Object.keys(attributes).length === 0) {
    throw unreadable(
      message,
      `it has neither headers ce_… (binary mode) nor the content-type ${STRUCTURED} (structured mode)`,
    );
  }
  if (message.value.byteLength === 0) return { attributes, data: null };
  checkDataType(message, contentType(message));
  return { attributes, data: parse(message, "the data") };
}

function readStructured(message: EventMessage): { attributes: JsonObject; data: Json } {
  const parsed = parse(message, "the event");
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw unreadable(message, "the event is no JSON object");
  }
  const { data = null, data_base64: bytes, datacontenttype = "", ...attributes } = parsed;
  if (bytes !== undefined) throw unreadable(message, "it has data_base64; its data must be JSON, in data");
  checkDataType(message, typeof datacontenttype === "string" ? mediaTypeOf(datacontenttype) : "?");
  return { attributes, data };
}

/** Without a type it is JSON: so the standard says of structured events. */
function checkDataType(message: EventMessage, type: string): void {
  if (type === "" || JSON_TYPE.test(type)) return;
  throw unreadable(message, `its data are ${type}; those of application/json can be read`);
}

function parse(message: EventMessage, what: string): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message.value)) as Json;
  } catch (error) {
    throw unreadable(message, `${what} is no JSON: ${(error as Error).message}`);
  }
}

/** Names of headers are texts of any case in Kafka; publishers write this one in both. */
function contentType({ headers }: EventMessage): string {
  const named = headers as unknown as Readonly<Record<string, string | undefined>>;
  return mediaTypeOf(named["content-type"] ?? named["Content-Type"] ?? "");
}

function mediaTypeOf(text: string): string {
  return (text.split(";")[0] as string).trim().toLowerCase();
}

function unreadable({ topic, headers }: EventMessage, what: string): Error {
  return new Error(
    `the event ${headers.ce_id ?? ""} of topic ${topic} cannot be told: ${what}`.replace("event  of", "event of"),
  );
}
