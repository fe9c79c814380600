import { execFile } from "node:child_process";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createLogger, createMetrics } from "@heddle/telemetry";
import { HealthCheckResponse_ServingStatus as Serving, Health } from "@heddle/proto/grpc/health/v1/health_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createGrpcTransport,
  createRpcClient,
  createServer,
  type CreateServerOptions,
  type RpcServer,
} from "../src/index.ts";
import { echoRoutes, silent, type Seen } from "./echo-server.ts";
import { EchoService } from "./echo-service.ts";

const run = promisify(execFile);
const ECHO = "heddle.rpc.test.EchoService";
const seen: Seen = { contexts: [] };
let server: RpcServer;
let url: string;
let port: number;

async function start(options: Partial<CreateServerOptions> = {}) {
  await server?.close({ drainMs: 0 });
  server = createServer({ routes: echoRoutes(seen), logger: silent, ...options });
  ({ url, port } = await server.listen());
}

beforeEach(() => {
  seen.contexts.length = 0;
});
afterEach(() => server.close({ drainMs: 0 }));

function post(path: string, body: string, headers: Record<string, string> = {}) {
  return fetch(`${url}/${path}`, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

describe("HTTP/1.1", () => {
  it("answers Connect JSON as curl sends it", async () => {
    await start();
    const answer = await post(`${ECHO}/Once`, '{"text":"hello","count":2}');
    expect([answer.status, await answer.json()]).toEqual([200, { text: "hello", count: 2 }]);
  });

  it("answers errors as JSON with details", async () => {
    await start();
    const answer = await post(`${ECHO}/Once`, '{"text":"domain"}');
    const body = (await answer.json()) as { code: string; details: { type: string; debug: { reason?: string } }[] };
    expect([answer.status, body.code]).toEqual([429, "resource_exhausted"]);
    expect(body.details.map(({ type }) => type)).toEqual([
      "google.rpc.ErrorInfo",
      "google.rpc.RetryInfo",
      "google.rpc.BadRequest",
    ]);
    expect(body.details[0]?.debug.reason).toBe("QUEUE_FULL");
  });

  it.each([
    ["JSON that is none", "{", "application/json"],
    ["JSON of another shape", '{"count":"many"}', "application/json"],
    ["bytes that are no protobuf", "\u000a\u007f", "application/proto"],
  ])("says of %s that the caller is wrong", async (_, body, type) => {
    await start();
    const answer = await post(`${ECHO}/Once`, body, { "content-type": type });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "invalid_argument"]);
  });

  it("serves health and metrics beside, and names what there is elsewhere", async () => {
    await start({ metrics: createMetrics() });
    await post(`${ECHO}/Once`, "{}");
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "SERVING" });
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await metrics.text()).toContain(`heddle_rpc_calls_total{method="${ECHO}/Once",code="OK"} 1`);
    const missing = await fetch(`${url}/nope`);
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining(ECHO)]);
    expect(await (await post(`${ECHO}/Onec`, "{}")).text()).toContain("Once, Read");
    server.health.set("", "NOT_SERVING");
    expect((await fetch(`${url}/healthz`)).status).toBe(503);
  });

  it("lets the server add pages of its own", async () => {
    await start({
      fallback(request, response) {
        if (request.url !== "/mine") return false;
        response.end("mine");
        return true;
      },
    });
    expect(await (await fetch(`${url}/mine`)).text()).toBe("mine");
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });
});

describe("HTTP/2 on the same port", () => {
  it("answers curl with prior knowledge, for RPC and pages alike", async () => {
    await start();
    const flags = ["-sS", "--max-time", "10", "--http2-prior-knowledge", "-w", " %{http_version}"];
    const page = await run("curl", [...flags, `${url}/healthz`]);
    expect(page.stdout).toBe('{"status":"SERVING"} 2');
    const rpc = await run("curl", [
      ...flags,
      "-H",
      "content-type: application/json",
      "-d",
      '{"text":"x"}',
      `${url}/${ECHO}/Once`,
    ]);
    expect(rpc.stdout).toBe('{"text":"x"} 2');
  });

  it("answers gRPC with INVALID_ARGUMENT to bytes that are no message, and UNIMPLEMENTED to a path that is none", async () => {
    await start();
    const garbage = Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]);
    const invalid = await rawGrpc(`/${ECHO}/Once`, garbage);
    expect(invalid).toMatchObject({ status: "3", message: expect.stringContaining("not a message of the type") });
    expect(await rawGrpc("/no.Such/Thing", garbage)).toMatchObject({ status: "12" });
  });
});

describe("gRPC-Web", () => {
  it.each(["Once", "Down"])("says of bytes that are no message of %s that the caller is wrong", async (method) => {
    await start();
    const answer = await fetch(`${url}/${ECHO}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]),
    });
    const text = await answer.text();
    expect(text).toMatch(/grpc-status: 3\r\n/);
    expect(decodeURIComponent(/grpc-message: (.*)\r\n/.exec(text)?.[1] ?? "")).toContain("not a message of the type");
  });
});

describe("limits", () => {
  it("refuses a message that is too large, also one that is only large once it is unpacked", async () => {
    await start({ limits: { messageMaxBytes: 10_000 } });
    const large = JSON.stringify({ items: [{ body: "x".repeat(20_000) }] });
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(large), { "content-encoding": "gzip" }],
    ] as const) {
      const answer = await fetch(`${url}/${ECHO}/Once`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      });
      expect(((await answer.json()) as { code: string }).code).toBe("resource_exhausted");
    }
    const transport = createGrpcTransport(url);
    const client = createRpcClient(EchoService, transport);
    await expect(client.once({ items: [{ body: "x".repeat(20_000) }] })).rejects.toMatchObject({
      kind: "resource_exhausted",
    });
    transport.close();
  });

  it("refuses headers that are too large", async () => {
    await start({ limits: { headerMaxBytes: 4096 } });
    expect((await post(`${ECHO}/Once`, "{}", { "x-large": "x".repeat(8192) })).status).toBe(431);
  });

  it("shortens deadlines to the longest that is allowed, and cuts off what has none", async () => {
    await start({
      limits: { deadlineMaxMs: 200, deadlineDefaultMs: 100, deadlineDefaultByMethodMs: { [`/${ECHO}/Read`]: 10_000 } },
    });
    const transport = createGrpcTransport(url);
    const client = createRpcClient(EchoService, transport);
    await expect(client.once({ text: "deaf" }, { timeoutMs: 3_600_000 })).rejects.toMatchObject({
      kind: "deadline_exceeded",
      reason: "DEADLINE_EXCEEDED",
    });
    transport.close();
    const answers = [await post(`${ECHO}/Once`, '{"text":"deaf"}')];
    answers.push(await post(`${ECHO}/Once`, '{"text":"deaf"}', { "connect-timeout-ms": "3600000" }));
    expect(answers.map(({ status }) => status)).toEqual([504, 504]);
    seen.contexts.length = 0;
    await post(`${ECHO}/Read`, "{}");
    expect(seen.contexts[0]?.timeoutMs()).toBeGreaterThan(1000);
  });

  it("disconnects a client that says nothing", async () => {
    await start({ limits: { handshakeTimeoutMs: 50 } });
    const socket = net.connect(port, "127.0.0.1");
    socket.write("PR");
    socket.resume();
    await once(socket, "close");
    expect(socket.bytesRead).toBe(0);
  });

  it("drops a peer that does not answer pings", async () => {
    await start({ limits: { keepaliveIntervalMs: 50, keepaliveTimeoutMs: 50 } });
    // The preface and empty settings of HTTP/2, and silence after that.
    const socket = net.connect(port, "127.0.0.1");
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    socket.resume();
    await once(socket, "close");
    expect(socket.bytesRead).toBeGreaterThan(0);
  });
});

describe("ports", () => {
  it("says which port is taken, or takes the next one", async () => {
    await start();
    const taken = createServer({ routes: () => {}, logger: silent, port });
    await expect(taken.listen()).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: expect.stringContaining(`port ${port} of 127.0.0.1 is taken`),
    });
    const next = createServer({ routes: () => {}, logger: silent, port, portFallback: 20 });
    const address = await next.listen();
    expect(address.port).toBeGreaterThan(port);
    await next.close();
  });
});

describe("observation", () => {
  it("hands the caller's trace to the handler's log lines and counts by code", async () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
    const logger = createLogger({ name: "test", level: "debug", destination: { write } });
    const metrics = createMetrics();
    await start({ logger, metrics });
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await post(`${ECHO}/Once`, '{"text":"defect"}', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(lines.filter((line) => line.traceId === traceId)).toMatchObject([
      { level: "error", method: `${ECHO}/Once`, err: { message: "secret: the password is hunter2" } },
      { level: "debug", msg: "rpc", method: `${ECHO}/Once`, code: "INTERNAL", durationMs: expect.any(Number) },
    ]);
    expect(metrics.text()).toContain(`heddle_rpc_calls_total{method="${ECHO}/Once",code="INTERNAL"} 1`);
    expect(metrics.text()).toContain("heddle_rpc_open_streams 0");
  });
});

describe("calls that are given up", () => {
  /** Opens calls on one connection and gives each up at once; false when the server ended the connection for it. */
  async function survives(count: number): Promise<boolean> {
    const session = http2.connect(url);
    session.on("error", () => undefined);
    let isEnded = false;
    session.once("close", () => (isEnded = true));
    const roundTrip = () =>
      new Promise<void>((resolve) => {
        if (isEnded || session.destroyed) return resolve();
        session.once("close", resolve);
        session.ping(() => {
          session.off("close", resolve);
          resolve();
        });
      });
    await once(session, "connect");
    for (let begun = 0; begun < count && !isEnded; ) {
      const streams = Array.from({ length: Math.min(100, count - begun) }, () => {
        const stream = session.request({
          ":method": "POST",
          ":path": `/${ECHO}/Once`,
          "content-type": "application/grpc",
        });
        stream.on("error", () => undefined);
        return stream;
      });
      begun += streams.length;
      // Both sides have to know the stream before it can be reset.
      await roundTrip();
      for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    await roundTrip();
    const isAlive = !isEnded && !session.destroyed;
    session.destroy();
    return isAlive;
  }

  it("leave the connection to the others, as long as they are not an attack", async () => {
    await start();
    expect(await survives(3_000)).toBe(true);
  });

  it("end the connection beyond the limit", async () => {
    await start({ limits: { streamResets: { burst: 50, perSecond: 1 } } });
    expect(await survives(3_000)).toBe(false);
  });
});

describe("health", () => {
  it("answers Check, List and Watch", async () => {
    await start();
    const transport = createGrpcTransport(url);
    const client = createRpcClient(Health, transport);
    expect((await client.check({ service: ECHO })).status).toBe(Serving.SERVING);
    await expect(client.check({ service: "nope" })).rejects.toMatchObject({ kind: "not_found" });
    expect(Object.keys((await client.list({})).statuses).toSorted()).toEqual(["", ECHO]);
    const statuses: Serving[] = [];
    for await (const { status } of client.watch({ service: "later" })) {
      statuses.push(status);
      if (statuses.length === 1) server.health.set("later", "NOT_SERVING");
      if (statuses.length === 2) server.health.set("later", "SERVING");
      if (statuses.length === 3) break;
    }
    expect(statuses).toEqual([Serving.SERVICE_UNKNOWN, Serving.NOT_SERVING, Serving.SERVING]);
    transport.close();
  });
});

/** One gRPC call by hand. */
async function rawGrpc(path: string, body: Buffer): Promise<{ status: string; message: string }> {
  const session = http2.connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const found: Record<string, unknown> = {};
  stream.on("response", (headers) => Object.assign(found, headers));
  stream.on("trailers", (headers) => Object.assign(found, headers));
  stream.end(body);
  stream.resume();
  await once(stream, "close");
  session.close();
  return { status: String(found["grpc-status"]), message: decodeURIComponent(String(found["grpc-message"])) };
}
