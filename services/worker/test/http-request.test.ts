import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { TaskContext } from "@heddle/sdk";
import { afterEach, describe, expect, it } from "vitest";
import type { ResolveName } from "../src/http/destination.ts";
import { createHttpRequestTool, type HttpRequestTool } from "../src/tools/http-request.ts";
import { createFakeContext } from "./fake-context.ts";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { seen, port, url: `http://127.0.0.1:${port}`, at: `127.0.0.1:${port}` };
}

function toolWith(
  allow: string[],
  options: { resolve?: ResolveName; responseMaxBytes?: number } = {},
): HttpRequestTool {
  const tool = createHttpRequestTool({ allow, timeoutMs: 5_000, responseMaxBytes: 10_000, ...options });
  cleanups.push(() => tool.close());
  return tool;
}

async function call(
  tool: HttpRequestTool,
  input: unknown,
  context: Partial<TaskContext> = {},
): Promise<Record<string, unknown>> {
  return (await tool.definition.handler(input, createFakeContext(context))) as Record<string, unknown>;
}

const json = (response: ServerResponse, value: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "x-a": "1" });
  response.end(JSON.stringify(value));
};

describe("a request", () => {
  it("sends method, headers, query and body, and gives status, headers and the parsed body", async () => {
    const { seen, url, at } = await serve((_request, response) => json(response, { ok: true }, 201));
    const output = await call(
      toolWith([at]),
      {
        url: `${url}/orders?fixed=1#fragment`,
        method: "put",
        headers: { Authorization: "Bearer t", "X-Count": 3 },
        query: { q: "a b", tag: ["x", "y"], skip: null },
        body: { a: [1, null] },
        timeout: "2s",
      },
      { idempotencyKey: "e/n/2", traceparent: "00-aa-bb-01" },
    );
    expect(output).toMatchObject({ status: 201, body: { ok: true }, headers: { "x-a": "1" } });
    expect(seen[0]).toMatchObject({ method: "PUT", url: "/orders?fixed=1&q=a+b&tag=x&tag=y", body: '{"a":[1,null]}' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: "Bearer t",
      "x-count": "3",
      "content-type": "application/json",
      "idempotency-key": "e/n/2",
      traceparent: "00-aa-bb-01",
    });
  });

  it("is GET without a body and POST with one; only unsafe methods carry the idempotency key", async () => {
    const { seen, url, at } = await serve((_request, response) => json(response, null));
    const tool = toolWith([at]);
    await call(tool, { url });
    await call(tool, { url, body: "plain text" });
    expect(seen.map(({ method, headers }) => [method, headers["idempotency-key"], headers["content-type"]])).toEqual([
      ["GET", undefined, undefined],
      ["POST", "execution/node/1", "text/plain; charset=utf-8"],
    ]);
  });

  it.each<[string, Record<string, string>, Buffer, unknown]>([
    ["text", { "content-type": "text/html" }, Buffer.from("<p>"), { body: "<p>" }],
    ["JSON that is none", { "content-type": "application/json" }, Buffer.from("{"), { body: "{" }],
    ["JSON of a kind", { "content-type": "application/problem+json" }, Buffer.from('{"a":1}'), { body: { a: 1 } }],
    ["bytes", { "content-type": "image/png" }, Buffer.from([137, 80]), { body: null, body_base64: "iVA=" }],
    ["nothing", {}, Buffer.alloc(0), { body: null }],
    [
      "gzip",
      { "content-type": "application/json", "content-encoding": "gzip" },
      gzipSync('{"z":1}'),
      { body: { z: 1 } },
    ],
  ])("reads %s", async (_name, headers, body, expected) => {
    const { url, at } = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.end(body);
    });
    expect(await call(toolWith([at]), { url })).toMatchObject(expected as object);
  });

  it.each([
    ["a large body", () => Buffer.alloc(20_000, 97), {}],
    ["a small bomb", () => gzipSync(Buffer.alloc(5_000_000)), { "content-encoding": "gzip" }],
  ])("refuses %s", async (_name, body, headers) => {
    const { url, at } = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.end(body());
    });
    await expect(call(toolWith([at]), { url })).rejects.toMatchObject({ type: "response_too_large", retryable: false });
  });

  it("fails for a body that is not compressed as it says", async () => {
    const { url, at } = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end("plain");
    });
    await expect(call(toolWith([at]), { url })).rejects.toMatchObject({ type: "network_error", retryable: true });
  });

  it("fails for a body that breaks off", async () => {
    const { url, at } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("the beginning", () => response.destroy());
    });
    await expect(call(toolWith([at]), { url })).rejects.toMatchObject({ type: "network_error", retryable: true });
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [301, false],
  ])("fails for status %i, retryable: %s", async (status, retryable) => {
    const { url, at } = await serve((_request, response) => {
      response.writeHead(status, { "retry-after": "7", "content-type": "text/plain" });
      response.end("why");
    });
    await expect(call(toolWith([at]), { url: `${url}/x?token=s` })).rejects.toMatchObject({
      type: "http_error",
      retryable,
      retryAfterMs: 7_000,
      message: `GET ${url}/x answered ${status}`,
      details: { status, body: "why" },
    });
  });

  it("takes other statuses as success when it is told to", async () => {
    const { url, at } = await serve((_request, response) => json(response, { found: false }, 404));
    const tool = toolWith([at]);
    expect(await call(tool, { url, expected_status: [200, 404] })).toMatchObject({
      status: 404,
      body: { found: false },
    });
    expect(await call(tool, { url, expected_status: "4xx" })).toMatchObject({ status: 404 });
    await expect(call(tool, { url, expected_status: 200 })).rejects.toMatchObject({ type: "http_error" });
  });

  it.each([
    [{ url: "not a url" }, "no absolute URL"],
    [{ url: "http://127.0.0.1", method: "CONNECT" }, "the method CONNECT is none of"],
    [{ url: "http://user:pass@127.0.0.1" }, "send an authorization header"],
    [{ url: "http://127.0.0.1", headers: { Host: "x" } }, 'the header "Host" is set by the client'],
    [{ url: "http://127.0.0.1", headers: { "Content-Length": 1 } }, "set by the client"],
    [{ url: "http://127.0.0.1", headers: { a: "b\r\nc: d" } }, "line break"],
    [{ url: "http://127.0.0.1", headers: { a: "→" } }, "cannot carry"],
    [{ url: "http://127.0.0.1", headers: { "a b": "c" } }, "no name of a header"],
    [{ url: "http://127.0.0.1", timeout: "soon" }, "must be a duration"],
    [{ url: "http://127.0.0.1", timeout: "11m" }, "up to 10m"],
    [{ url: "http://127.0.0.1", expected_status: "ok" }, "neither a status"],
  ])("refuses the input %j", async (input, message) => {
    const tool = toolWith(["127.0.0.1"]);
    await expect(call(tool, input)).rejects.toThrow(message);
    await expect(call(tool, input)).rejects.toMatchObject({ type: "input_invalid", retryable: false });
  });

  it("ends at its timeout, and when the task is aborted", async () => {
    const { url, at } = await serve(() => {});
    const tool = toolWith([at]);
    await expect(call(tool, { url, timeout: "30ms" })).rejects.toMatchObject({ type: "timeout", retryable: true });
    const abort = new AbortController();
    const aborted = call(tool, { url }, { signal: abort.signal });
    abort.abort(new Error("the task was canceled"));
    await expect(aborted).rejects.toThrow("canceled");
  });

  it("says that nobody listens, as a failure that may pass", async () => {
    const { url, at } = await serve(() => {});
    for (const cleanup of cleanups.splice(0)) cleanup();
    await expect(call(toolWith([at]), { url })).rejects.toMatchObject({ type: "network_error", retryable: true });
  });
});

describe("the guard", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://100.100.100.200/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "https://127.0.0.1/",
    "http://127.0.0.1:80\\@example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "data:text/plain,x",
    "javascript:alert(1)",
  ])("refuses %s", async (url) => {
    await expect(call(toolWith([]), { url })).rejects.toMatchObject({ type: "url_forbidden", retryable: false });
  });

  it.each(["http://127.0.0.1@example.com/", "http://example.com@127.0.0.1/", "http://example.com:80@127.0.0.1/"])(
    "takes no user names: %s",
    async (url) => {
      await expect(call(toolWith([]), { url })).rejects.toMatchObject({ type: "input_invalid" });
    },
  );

  it.each<[string, string[]]>([
    ["private", ["10.0.0.5"]],
    ["loopback", ["127.0.0.1"]],
    ["mapped", ["::ffff:127.0.0.1"]],
    ["mixed", ["93.184.216.34", "127.0.0.1"]],
    ["metadata", ["169.254.169.254"]],
    ["loopback of IPv6", ["::1"]],
  ])("refuses a name with an address that is %s", async (_name, addresses) => {
    const resolve: ResolveName = async () =>
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    await expect(call(toolWith([], { resolve }), { url: "http://innocent.example/" })).rejects.toMatchObject({
      type: "url_forbidden",
      retryable: false,
    });
  });

  it("refuses localhost by the system's own resolver", async () => {
    await expect(call(toolWith([]), { url: "http://localhost:1/" })).rejects.toMatchObject({ type: "url_forbidden" });
  });

  it("connects to the very address that it checked: a second answer of the name server does not count", async () => {
    const { url, port, seen } = await serve((_request, response) => json(response, { reached: true }));
    let answers = 0;
    // The first answer is allowed, every later one is not: who asks twice is caught.
    const resolve: ResolveName = async () => {
      answers += 1;
      return [{ address: answers === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    };
    const tool = toolWith([`127.0.0.1:${port}`], { resolve });
    const output = await call(tool, { url: url.replace("127.0.0.1", "rebind.example") });
    expect(output).toMatchObject({ body: { reached: true } });
    expect(answers).toBe(1);
    expect(seen[0]?.headers.host).toBe(`rebind.example:${port}`);
  });

  it("checks every hop of a redirect", async () => {
    const inner = await serve((_request, response) => json(response, { secret: true }));
    const outer = await serve((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/admin` });
      response.end();
    });
    await expect(call(toolWith([outer.at]), { url: outer.url })).rejects.toMatchObject({ type: "url_forbidden" });
    expect(inner.seen).toEqual([]);
    const toFile = await serve((_request, response) => {
      response.writeHead(302, { location: "file:///etc/passwd" });
      response.end();
    });
    await expect(call(toolWith([toFile.at]), { url: toFile.url })).rejects.toMatchObject({ type: "url_forbidden" });
  });

  it("follows redirects as browsers do, without carrying credentials elsewhere", async () => {
    const target = await serve((_request, response) => json(response, { here: true }));
    const first = await serve((_request, response) => {
      response.writeHead(307, { location: `${target.url}/end` });
      response.end();
    });
    const tool = toolWith([target.at, first.at]);
    const output = await call(tool, {
      url: `${first.url}/kept`,
      body: { n: 1 },
      headers: { authorization: "Bearer secret", cookie: "a=b", "x-mine": "1" },
    });
    expect(output).toMatchObject({ url: `${target.url}/end`, body: { here: true } });
    expect(target.seen[0]).toMatchObject({ method: "POST", body: '{"n":1}' });
    const { authorization, cookie, "x-mine": mine, "idempotency-key": key } = target.seen[0]?.headers ?? {};
    expect({ authorization, cookie, mine, key }).toEqual({
      authorization: undefined,
      cookie: undefined,
      mine: "1",
      key: undefined,
    });
  });

  it("turns a POST into a GET at 303, and stops after five hops", async () => {
    const loop = await serve((request, response) => {
      response.writeHead(303, { location: `/${request.url?.length ?? 0}` });
      response.end();
    });
    await expect(call(toolWith([loop.at]), { url: loop.url, body: "x" })).rejects.toMatchObject({
      type: "too_many_redirects",
      retryable: false,
    });
    expect(loop.seen.map(({ method }) => method)).toEqual(["POST", "GET", "GET", "GET", "GET", "GET"]);
    expect(loop.seen[1]).toMatchObject({ body: "" });
    expect(loop.seen[1]?.headers["content-type"]).toBeUndefined();
  });
});
