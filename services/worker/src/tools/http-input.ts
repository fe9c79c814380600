import { TaskError, type Json, type JsonObject, type TaskContext } from "@heddle/sdk";
import type { OutgoingRequest } from "../http/guarded-request.ts";
import { HTTP_TIMEOUT_MAX_MS } from "../limits.ts";
import { parseDurationMs } from "./duration.ts";

/** What a definition gives to `http_request`. */
export interface HttpInput {
  url: string;
  method?: string;
  headers?: Record<string, string | number | boolean>;
  query?: Record<string, string | number | boolean | null | (string | number | boolean)[]>;
  body?: Json;
  timeout?: string | number;
  expected_status?: number | string | (number | string)[];
}

const scalar = { type: ["string", "number", "boolean"] };

export const HTTP_INPUT_SCHEMA: JsonObject = {
  type: "object",
  required: ["url"],
  additionalProperties: false,
  properties: {
    url: { type: "string", minLength: 1, maxLength: 8192, description: "Absolute URL, http or https" },
    method: {
      type: "string",
      pattern: "^[A-Za-z]{3,7}$",
      description: "GET unless there is a body, then POST",
    },
    headers: { type: "object", additionalProperties: scalar },
    query: {
      type: "object",
      description: "Added to the URL; null leaves a name out, a list repeats it",
      additionalProperties: { anyOf: [scalar, { type: "null" }, { type: "array", items: scalar }] },
    },
    body: { description: "A text is sent as it is, anything else as JSON" },
    timeout: { type: ["string", "number"], description: "Such as 10s, or a number of seconds; default 30s" },
    expected_status: {
      description: 'Statuses that count as success: 200, "2xx" or a list of them; default 2xx',
      anyOf: [
        { type: ["integer", "string"] },
        { type: "array", minItems: 1, maxItems: 50, items: { type: ["integer", "string"] } },
      ],
    },
  },
};

const METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Headers that describe the connection and not the request: they are the client's own business. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** @throws TaskError `input_invalid`, not retryable */
export function toOutgoingRequest(
  input: HttpInput,
  context: Pick<TaskContext, "idempotencyKey" | "traceparent">,
): OutgoingRequest {
  const method = (input.method ?? (input.body === undefined ? "GET" : "POST")).toUpperCase();
  if (!METHODS.includes(method)) throw invalid(`the method ${method} is none of ${METHODS.join(", ")}`);
  const body = encodeBody(input.body);
  const headers: Record<string, string> = { accept: "application/json, */*;q=0.8", "user-agent": "heddle" };
  if (context.traceparent !== "") headers["traceparent"] = context.traceparent;
  if (body !== undefined)
    headers["content-type"] = typeof input.body === "string" ? "text/plain; charset=utf-8" : "application/json";
  // The server can tell a repeated delivery of this attempt from a second request.
  if (!SAFE_METHODS.has(method)) headers["idempotency-key"] = context.idempotencyKey;
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    const lower = name.toLowerCase();
    if (OWN_HEADERS.has(lower)) throw invalid(`the header "${name}" is set by the client itself; leave it out`);
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) throw invalid(`"${name}" is no name of a header`);
    const text = String(value);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) {
      throw invalid(`the header "${name}" holds a line break, or a character that headers cannot carry`);
    }
    headers[lower] = text;
  }
  return { url: toUrl(input), method, headers, body };
}

function toUrl({ url: text, query = {} }: HttpInput): URL {
  const url = URL.parse(text);
  if (url === null) throw invalid(`"${text.slice(0, 200)}" is no absolute URL; it must begin with http:// or https://`);
  if (url.username !== "" || url.password !== "") {
    throw invalid("a URL with a user name and a password ends up in logs; send an authorization header");
  }
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== null) url.searchParams.append(name, String(each));
  }
  return url;
}

function encodeBody(body: Json | undefined): Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** @throws TaskError `input_invalid` */
export function timeoutMsOf({ timeout }: HttpInput, defaultMs: number): number {
  if (timeout === undefined) return defaultMs;
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined || timeoutMs <= 0 || timeoutMs > HTTP_TIMEOUT_MAX_MS) {
    throw invalid(
      `the timeout ${JSON.stringify(timeout)} must be a duration such as 500ms or 30s, or a number of seconds, up to 10m`,
    );
  }
  return timeoutMs;
}

/** @throws TaskError `input_invalid` */
export function isExpected(status: number, { expected_status: expected = "2xx" }: HttpInput): boolean {
  return [expected].flat().some((each) => {
    const text = String(each).toLowerCase();
    if (/^[1-5]xx$/.test(text)) return Math.floor(status / 100) === Number(text[0]);
    if (/^[1-5]\d\d$/.test(text)) return status === Number(text);
    throw invalid(
      `${JSON.stringify(each)} in expected_status is neither a status such as 404 nor a class such as "2xx"`,
    );
  });
}

function invalid(message: string): TaskError {
  return new TaskError("input_invalid", message, { retryable: false });
}
