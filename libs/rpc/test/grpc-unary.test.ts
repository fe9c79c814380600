import { once } from "node:events";
import http2, { type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { createMetrics } from "@heddle/telemetry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CreateServerOptions, createServer, type RpcServer } from "../src/index.ts";
import { echoImplementation, type Seen, silent } from "./echo-server.ts";
import { type Echo, EchoSchema, EchoService } from "./echo-service.ts";

const ONCE = "/heddle.rpc.test.EchoService/Once";
const seen: Seen = { contexts: [] };
let onCall: (context: HandlerContext) => void;
let server: RpcServer;
let session: http2.ClientHttp2Session;

async function start(options: Partial<CreateServerOptions> = {}) {
  const echo = echoImplementation(seen);
  server = createServer({
    routes: (router) =>
      router.service(EchoService, {
        ...echo,
        once(request, context) {
          onCall(context);
          return echo.once!(request, context);
        },
      }),
    logger: silent,
    ...options,
  });
  session = http2.connect((await server.listen()).url);
}

beforeEach(() => {
  seen.contexts.length = 0;
  onCall = () => {};
});
afterEach(async () => {
  session.close();
  await server.close({ drainMs: 0 });
});

interface Answer {
  headers: IncomingHttpHeaders;
  trailers: IncomingHttpHeaders;
  status: string;
  message: string;
  body: Buffer;
}

function open(headers: Record<string, string> = {}) {
  return session.request({
    ":method": "POST",
    ":path": ONCE,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
}

/** One call by hand: the pieces of its body, one DATA frame each. */
async function call(pieces: Uint8Array[], headers: Record<string, string> = {}): Promise<Answer> {
  const stream = open(headers);
  const answer = { headers: {}, trailers: {} } as Answer;
  stream.on("response", (got) => Object.assign(answer.headers, got));
  stream.on("trailers", (got) => Object.assign(answer.trailers, got));
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise(setImmediate);
  }
  stream.end();
  await once(stream, "close");
  const all = { ...answer.headers, ...answer.trailers };
  const message = decodeURIComponent(String(all["grpc-message"] ?? ""));
  return { ...answer, status: String(all["grpc-status"]), message, body: Buffer.concat(chunks) };
}

function frame(message: MessageInitShape<typeof EchoSchema>, flags = 0, pack = (bytes: Uint8Array) => bytes) {
  const bytes = pack(toBinary(EchoSchema, create(EchoSchema, message)));
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([prefix, bytes]);
}

function echoed({ body }: Answer): Echo {
  expect(body.readUInt32BE(1)).toBe(body.byteLength - 5);
  return fromBinary(EchoSchema, body.subarray(5));
}

describe("unary gRPC", () => {
  it("takes a message in any pieces", async () => {
    await start();
    const whole = frame({ text: "hello", count: 2 });
    const cuts = [[whole], [whole.subarray(0, 3), whole.subarray(3)], [...whole].map((byte) => Buffer.from([byte]))];
    for (const pieces of cuts) {
      const answer = await call(pieces);
      expect(answer.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc+proto" });
      expect(answer.trailers["grpc-status"]).toBe("0");
      expect(echoed(answer)).toMatchObject({ text: "hello", count: 2 });
    }
    expect(echoed(await call([frame({})]))).toMatchObject({ text: "", count: 0 });
  });

  it("unpacks gzip, and says of other encodings which it takes", async () => {
    await start({ limits: { messageMaxBytes: 10_000 } });
    const gzip = { "grpc-encoding": "gzip" };
    expect(echoed(await call([frame({ text: "packed" }, 1, gzipSync)], gzip)).text).toBe("packed");
    const bomb = frame({ items: [{ body: "x".repeat(20_000) }] }, 1, gzipSync);
    expect((await call([bomb], gzip)).status).toBe("8");
    const unknown = await call([frame({ text: "x" })], { "grpc-encoding": "zstd" });
    expect(unknown).toMatchObject({ status: "12", message: expect.stringContaining("gzip") });
    expect((await call([frame({ text: "x" }, 1, gzipSync)])).status).toBe("13");
  });

  it.each([
    ["nothing", [], "12", "missing input message"],
    ["half a prefix", [Buffer.from([0, 0, 0])], "3", "incomplete envelope"],
    ["less than the prefix says", [frame({ text: "hello" }).subarray(0, 8)], "3", "incomplete envelope"],
    ["bytes behind the message", [frame({ text: "hello" }), Buffer.from([0, 0])], "3", "incomplete envelope"],
    ["two messages", [frame({ text: "a" }), frame({ text: "b" })], "12", "extra input message"],
    ["bytes that are no message", [Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f])], "3", "not a message of the type"],
  ])("refuses %s", async (_, pieces, status, message) => {
    await start();
    expect(await call(pieces)).toMatchObject({ status, message: expect.stringContaining(message) });
    expect(seen.contexts).toEqual([]);
  });

  it("refuses a message that is too large by its prefix alone, and stops the sender", async () => {
    await start({ limits: { messageMaxBytes: 10_000 } });
    const stream = open();
    stream.write(Buffer.from([0, 0, 0, 0x27, 0x11]));
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(headers["grpc-status"]).toBe("8");
    stream.resume();
    await once(stream, "close");
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  });

  it("refuses an answer that is too large", async () => {
    const grow: Interceptor = (next) => async (request) => {
      const response = await next(request);
      return { ...response, message: create(EchoSchema, { text: "x".repeat(20_000) }) } as typeof response;
    };
    await start({ limits: { messageMaxBytes: 10_000 }, interceptors: [grow] });
    expect((await call([frame({ text: "x" })])).status).toBe("8");
  });

  it("carries headers and trailers that the handler sets, also beside an error", async () => {
    await start();
    onCall = ({ responseHeader, responseTrailer }) => {
      responseHeader.set("x-first", "1");
      responseTrailer.set("x-last", "2");
    };
    for (const [text, status] of [
      ["fine", "0"],
      ["domain", "8"],
    ] as const) {
      const { headers, trailers } = await call([frame({ text })]);
      expect(headers).toMatchObject({ "x-first": "1", "content-type": "application/grpc+proto" });
      expect(trailers).toMatchObject({ "x-last": "2", "grpc-status": status });
    }
  });

  it("answers errors with message and details", async () => {
    await start();
    const answer = await call([frame({ text: "domain" })]);
    expect(answer).toMatchObject({ status: "8", message: 'queue "äöü 100%" is full; try later' });
    expect(answer.headers["grpc-status-details-bin"]).toMatch(/^[A-Za-z0-9+/]+$/);
    expect(await call([frame({ text: "x".repeat(101) })])).toMatchObject({ status: "3" });
    const hidden = await call([frame({ text: "defect" })]);
    expect(hidden).toMatchObject({ status: "13", message: expect.not.stringContaining("hunter2") });
  });

  it("hands interceptors and handlers what connect hands them", async () => {
    const requests: unknown[] = [];
    const replace: Interceptor = (next) => (request) => {
      requests.push(request);
      const header = new Headers(request.header);
      header.set("x-added", "yes");
      return next({ ...request, header });
    };
    await start({ interceptors: [replace] });
    await call([frame({ text: "x" })], { "x-own": "mine", "grpc-timeout": "5S" });
    const [context] = seen.contexts;
    expect(requests).toMatchObject([{ stream: false, requestMethod: "POST", url: expect.stringContaining(ONCE) }]);
    expect(context?.requestHeader.get("X-Added")).toBe("yes");
    expect(context?.requestHeader.get("x-own")).toBe("mine");
    expect(context).toMatchObject({ protocolName: "grpc", service: EchoService, method: EchoService.method.once });
    expect(context?.timeoutMs()).toBeLessThanOrEqual(5000);
    expect(context?.signal.aborted).toBe(true);
  });

  it("ends a call at its deadline, whether its handler or its client is what it waits for", async () => {
    await start();
    const timeout = { "grpc-timeout": "50m" };
    for (const text of ["slow", "deaf"]) expect((await call([frame({ text })], timeout)).status).toBe("4");
    const stream = open(timeout);
    stream.write(Buffer.from([0, 0]));
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(headers["grpc-status"]).toBe("4");
    stream.destroy();
    expect((await call([frame({ text: "x" })], { "grpc-timeout": "soon" })).status).toBe("3");
  });

  it("tells the handler that its client has left", async () => {
    const metrics = createMetrics();
    await start({ metrics });
    const gone = new Promise<HandlerContext>((resolve) => {
      onCall = (context) => context.signal.addEventListener("abort", () => resolve(context), { once: true });
    });
    const stream = open();
    stream.end(frame({ text: "deaf" }));
    while (seen.contexts.length === 0) await new Promise(setImmediate);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect((await gone).signal.reason).toMatchObject({ message: expect.stringContaining("the client has left") });
    while (!metrics.text().includes('code="CANCELED"} 1')) await new Promise(setImmediate);
    // The connection serves on.
    onCall = () => {};
    expect((await call([frame({ text: "next" })])).status).toBe("0");
  });

  it("keeps calls of one connection apart", async () => {
    await start();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, count) => call([frame({ text: `wait ${count % 7}`, count })])),
    );
    expect(answers.map((answer) => echoed(answer).count)).toEqual(Array.from({ length: 200 }, (_, count) => count));
  });

  it("finishes calls while the server drains, and takes no new ones", async () => {
    await start();
    const last = call([frame({ text: "wait 200", count: 7 })]);
    while (seen.contexts.length === 0) await new Promise(setImmediate);
    const told = once(session, "goaway");
    const closed = server.close();
    await told;
    expect(await once(open(), "error")).toMatchObject([{ code: "ERR_HTTP2_GOAWAY_SESSION" }]);
    expect(echoed(await last).count).toBe(7);
    await closed;
  });
});
