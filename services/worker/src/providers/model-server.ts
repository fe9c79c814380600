import { TaskError, type Json, type JsonObject } from "@heddle/sdk";
import { parseRetryAfter } from "../http/retry-after.ts";
import { MODEL_RESPONSE_MAX_BYTES } from "../limits.ts";

export interface ModelServerOptions {
  /** For messages, e.g. `openai`. */
  name: string;
  baseUrl: string;
  headers: Record<string, string>;
  /** Cut out of every message, should a server repeat it. */
  secret: string | undefined;
  timeoutMs: number;
}

/** Posts JSON to a model's server and reads JSON. Its address comes from the operator alone, so it needs no guard. */
export interface ModelServer {
  /** @throws TaskError `model_unreachable`, `model_timeout`, `model_unavailable`, `model_rate_limited`, `model_auth`, `model_request`, `model_answer` */
  post(path: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

export function createModelServer({ name, baseUrl, headers, secret, timeoutMs }: ModelServerOptions): ModelServer {
  const base = baseUrl.replace(/\/+$/, "");

  async function post(path: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const limit = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(base + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, limit]),
        // A redirect would carry the key elsewhere.
        redirect: "error",
      });
      text = await readText(response, name);
    } catch (cause) {
      if (cause instanceof TaskError) throw cause;
      signal.throwIfAborted();
      if (limit.aborted) {
        throw new TaskError("model_timeout", `${name} gave no answer within ${timeoutMs} ms`, { cause });
      }
      throw new TaskError("model_unreachable", `${name} at ${base} cannot be reached: ${reasonOf(cause)}`, { cause });
    }
    if (!response.ok) throw statusError(response, text);
    const answer = parseObject(text);
    if (answer === undefined) throw new TaskError("model_answer", `${name} answered something that is no JSON object`);
    return answer;
  }

  function statusError(response: Response, text: string): TaskError {
    const { status } = response;
    const message = redact(messageOf(text), secret);
    const explained = `${name} answered ${status}${message === "" ? "" : `: ${message}`}`;
    if (status === 401 || status === 403) {
      const remedy = secret === undefined ? "; no key is set for it" : "; check the key that the worker was given";
      return new TaskError("model_auth", explained + remedy, { retryable: false });
    }
    const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
    if (status === 429) return new TaskError("model_rate_limited", explained, { retryAfterMs });
    if (status >= 500 || status === 408 || status === 409) {
      return new TaskError("model_unavailable", explained, { retryAfterMs });
    }
    return new TaskError("model_request", explained, { retryable: false });
  }

  return { post };
}

async function readText(response: Response, name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MODEL_RESPONSE_MAX_BYTES) {
      throw new TaskError("model_answer", `${name} answered more than ${MODEL_RESPONSE_MAX_BYTES} bytes`, {
        retryable: false,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** fetch says "fetch failed" and keeps the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? error.cause.message || String((error.cause as { code?: string }).code)
    : error.message;
}

function messageOf(text: string): string {
  const error = parseObject(text)?.["error"];
  const message = typeof error === "object" && error !== null && !Array.isArray(error) ? error["message"] : error;
  return (typeof message === "string" ? message : "").slice(0, 500);
}

function redact(message: string, secret: string | undefined): string {
  return secret === undefined || secret === "" ? message : message.replaceAll(secret, "[key]");
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
