import { TaskError } from "./task-error.ts";

export interface EncodeOutputLimits {
  outputMaxBytes: number;
  outputMaxDepth: number;
}

/**
 * The JSON text of a handler's output; nothing returned is `null`. What JSON would drop or change without a word (NaN, a
 * Map, a function, a circle) is refused with the place, because the workflow would go on with other data than the
 * handler gave. Fields that are undefined are left out, and objects with `toJSON` (dates) are written as they say.
 * @throws TaskError `output_not_json` or `payload_too_large`, both not retryable
 */
export function encodeOutput(output: unknown, limits: EncodeOutputLimits): string {
  if (output === undefined) return "null";
  checkValue(output, limits.outputMaxDepth, undefined);
  const text = JSON.stringify(output);
  // Three bytes are the most that one UTF-16 unit takes in UTF-8: short texts need no count.
  if (text.length * 3 > limits.outputMaxBytes) {
    const bytes = Buffer.byteLength(text);
    if (bytes > limits.outputMaxBytes) {
      throw new TaskError(
        "payload_too_large",
        `the output is ${bytes} bytes of JSON, the limit is ${limits.outputMaxBytes}: store it elsewhere and return where it is`,
        { retryable: false },
      );
    }
  }
  return text;
}

/** The way from the output to the value that is looked at, built only when a fault has to be named. */
interface Place {
  parent: Place | undefined;
  key: string | number;
}

function checkValue(value: unknown, depthLeft: number, place: Place | undefined): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw notJson(place, `is ${value}, which JSON cannot hold`);
      return;
    case "object":
      if (value !== null) checkObject(value, depthLeft, place);
      return;
    case "undefined":
      throw notJson(place, "is undefined, which JSON cannot hold: give null, or leave it out");
    default:
      throw notJson(place, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function checkObject(value: object, depthLeft: number, place: Place | undefined): void {
  if (depthLeft === 0) throw notJson(place, "is nested too deeply, or contains itself");
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++)
      checkValue(value[index], depthLeft - 1, { parent: place, key: index });
    return;
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    checkValue(value.toJSON(), depthLeft - 1, place);
    return;
  }
  if (value instanceof Map || value instanceof Set || value instanceof Promise || ArrayBuffer.isView(value)) {
    throw notJson(place, `is a ${value.constructor.name}, which JSON cannot hold: give a list, an object or a text`);
  }
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) checkValue(field, depthLeft - 1, { parent: place, key });
  }
}

function notJson(place: Place | undefined, what: string): TaskError {
  const path: (string | number)[] = [];
  // A circle gives a path as long as the depth limit: its beginning is enough.
  for (let at = place; at !== undefined; at = at.parent) path.unshift(at.key);
  const shown = path.slice(0, 8).map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  const name = `output${shown.join("")}${path.length > 8 ? "..." : ""}`;
  return new TaskError("output_not_json", `${name} ${what}`, { retryable: false });
}
