import { TaskError, type HandlerDefinition, type Json, type JsonObject, type TaskContext } from "@heddle/sdk";
import { parseAllowList } from "../http/allow-list.ts";
import { createDestinationGuard, type ResolveName } from "../http/destination.ts";
import { createConnectionPools, guardedRequest, type HttpResponse } from "../http/guarded-request.ts";
import { parseRetryAfter } from "../http/retry-after.ts";
import { HTTP_EXCERPT_MAX_CHARS } from "../limits.ts";
import { HTTP_INPUT_SCHEMA, isExpected, timeoutMsOf, toOutgoingRequest, type HttpInput } from "./http-input.ts";

export interface HttpRequestToolOptions {
  /** What may be reached although it is not public; see parseAllowList. */
  allow: readonly string[];
  timeoutMs: number;
  responseMaxBytes: number;
  resolve?: ResolveName;
}

export interface HttpRequestTool {
  definition: HandlerDefinition;
  /** Closes kept connections. */
  close(): void;
}

/** Statuses that may be others when asked again. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** The tool `http_request`: one request to an HTTP service, guarded against reaching into the network that the worker stands in. */
export function createHttpRequestTool(options: HttpRequestToolOptions): HttpRequestTool {
  const guard = createDestinationGuard(parseAllowList(options.allow), options.resolve);
  const agents = createConnectionPools();

  async function handle(input: HttpInput, context: TaskContext): Promise<Json> {
    const request = toOutgoingRequest(input, context);
    const timeoutMs = timeoutMsOf(input, options.timeoutMs);
    // Before the request: a slip in expected_status must not be found after the money was moved.
    isExpected(200, input);
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([context.signal, limit]);
    let response: HttpResponse;
    try {
      response = await guardedRequest(request, { guard, agents, maxBytes: options.responseMaxBytes, signal });
    } catch (error) {
      if (!limit.aborted || context.signal.aborted) throw error;
      throw new TaskError(
        "timeout",
        `${request.method} ${request.url.origin} gave no complete answer within ${timeoutMs} ms`,
        { cause: error },
      );
    }
    if (!isExpected(response.status, input)) throw httpError(request.method, response);
    return toOutput(response);
  }

  return {
    definition: {
      handler: handle,
      inputSchema: HTTP_INPUT_SCHEMA,
      description:
        "Makes an HTTP request and returns { status, headers, body }; body is parsed when it is JSON. Reaches public addresses only.",
    },
    close: () => agents.close(),
  };
}

function httpError(method: string, response: HttpResponse): TaskError {
  const { status, url, headers } = response;
  const { origin, pathname } = new URL(url);
  const text = response.body.toString("utf8").slice(0, HTTP_EXCERPT_MAX_CHARS);
  return new TaskError("http_error", `${method} ${origin}${pathname} answered ${status}`, {
    retryable: isPassing(status),
    retryAfterMs: parseRetryAfter(headers["retry-after"]),
    details: { status, body: text },
  });
}

function toOutput({ status, url, headers, body }: HttpResponse): JsonObject {
  return { status, url, headers, ...decodeBody(body, headers["content-type"] ?? "") };
}

const TEXT_TYPES = /^(text\/|application\/(.*\+)?(json|xml|javascript|x-www-form-urlencoded|yaml|x-ndjson|graphql))/i;

/** JSON as a value, text as text; what is neither as `body_base64`, because JSON holds no bytes. */
function decodeBody(body: Buffer, contentType: string): JsonObject {
  if (body.length === 0) return { body: null };
  const type = contentType.split(";", 1)[0]?.trim() ?? "";
  if (!TEXT_TYPES.test(type) && type !== "") return { body: null, body_base64: body.toString("base64") };
  const text = body.toString("utf8");
  if (!/^application\/(.*\+)?json$/i.test(type)) return { body: text };
  try {
    return { body: JSON.parse(text) as Json };
  } catch {
    // It says JSON and is not: the text is worth more than an error.
    return { body: text };
  }
}
