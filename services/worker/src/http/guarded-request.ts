import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { TaskError } from "@heddle/sdk";
import { HTTP_REDIRECTS_MAX } from "../limits.ts";
import type { DestinationGuard } from "./destination.ts";
import { readBody } from "./read-body.ts";

export interface OutgoingRequest {
  url: URL;
  method: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export interface HttpResponse {
  /** Of the last hop. */
  url: string;
  status: number;
  /** Names in lower case; several of one name are joined with a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface RequestOptions {
  guard: DestinationGuard;
  agents: ConnectionPools;
  maxBytes: number;
  signal: AbortSignal;
}

/** Connections that are kept open between requests. */
export interface ConnectionPools {
  http: http.Agent;
  https: https.Agent;
  close(): void;
}

export function createConnectionPools(): ConnectionPools {
  const pools = {
    http: new http.Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 30_000 }),
    https: new https.Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 30_000 }),
  };
  return {
    ...pools,
    close() {
      pools.http.destroy();
      pools.https.destroy();
    },
  };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What belongs to one origin and must not follow a redirect to another. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization", "idempotency-key"];

/**
 * Makes a request and follows redirects by hand, so that every hop goes through the guard.
 * @throws TaskError `url_forbidden`, `network_error`, `response_too_large`, `too_many_redirects`
 */
export async function guardedRequest(request: OutgoingRequest, options: RequestOptions): Promise<HttpResponse> {
  let hop = request;
  for (let redirects = 0; redirects <= HTTP_REDIRECTS_MAX; redirects++) {
    const response = await sendHop(hop, options);
    const location = response.headers["location"];
    if (!REDIRECTS.has(response.status) || location === undefined) return response;
    hop = redirected(hop, response.status, location);
  }
  throw new TaskError("too_many_redirects", `${request.url.href} redirects more than ${HTTP_REDIRECTS_MAX} times`, {
    retryable: false,
  });
}

/** As browsers do: 303 becomes GET, and so do 301 and 302 of a POST; 307 and 308 repeat the request. */
function redirected(hop: OutgoingRequest, status: number, location: string): OutgoingRequest {
  const url = URL.parse(location, hop.url.href);
  if (url === null) {
    throw new TaskError("http_error", `${hop.url.href} redirects to "${location.slice(0, 200)}", which is no URL`, {
      retryable: false,
    });
  }
  const toGet = status === 303 ? hop.method !== "HEAD" : (status === 301 || status === 302) && hop.method === "POST";
  const dropped = new Set([
    ...(url.origin === hop.url.origin ? [] : CREDENTIALS),
    ...(toGet ? ["content-type", "content-length", "idempotency-key"] : []),
  ]);
  const headers = Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !dropped.has(name)));
  return { url, method: toGet ? "GET" : hop.method, headers, body: toGet ? undefined : hop.body };
}

async function sendHop(
  { url, method, headers, body }: OutgoingRequest,
  options: RequestOptions,
): Promise<HttpResponse> {
  const { guard, agents, maxBytes, signal } = options;
  guard.checkUrl(url);
  const secure = url.protocol === "https:";
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = (secure ? https : http).request(
        {
          protocol: url.protocol,
          hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
          port: url.port,
          path: url.pathname + url.search,
          method,
          headers: { ...headers, ...(body && { "content-length": String(body.length) }) },
          agent: secure ? agents.https : agents.http,
          lookup: guard.lookup(url),
          signal,
        },
        resolve,
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
    return {
      url: url.href,
      status: response.statusCode ?? 0,
      headers: flatHeaders(response),
      body: await readBody(response, maxBytes, url),
    };
  } catch (error) {
    if (error instanceof TaskError) throw error;
    // What the caller's own signal ended is the caller's to explain.
    signal.throwIfAborted();
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new TaskError("network_error", `${method} ${url.origin} failed: ${(error as Error).message}${code}`, {
      cause: error,
    });
  }
}

function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}
