import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport as nodeConnect,
  createGrpcTransport as nodeGrpc,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { DomainError } from "@heddle/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createConnectTransport,
  createGrpcTransport,
  createInMemoryTransport,
  createRpcClient,
  createServer,
  toDomainError,
  type RpcServer,
  type RpcTransport,
} from "../src/index.ts";
import { domainError, echoRoutes, silent, type Seen } from "./echo-server.ts";
import { EchoService, type Echo } from "./echo-service.ts";

const seen: Seen = { contexts: [] };
let server: RpcServer;
let url: string;

beforeAll(async () => {
  server = createServer({ routes: echoRoutes(seen), logger: silent });
  ({ url } = await server.listen());
});
afterAll(() => server.close({ drainMs: 0 }));

const ours: Record<string, () => RpcTransport> = {
  "grpc-js": () => createGrpcTransport(url, { services: [EchoService] }),
  connect: () => createConnectTransport(url),
  "in memory": () => createInMemoryTransport({ routes: echoRoutes(seen), logger: silent }),
};

describe.each(Object.keys(ours))("over %s", (name) => {
  let transport: RpcTransport;
  beforeAll(() => {
    transport = (ours[name] as () => RpcTransport)();
  });
  afterAll(() => transport.close());
  const client = () => createRpcClient(EchoService, transport);

  it("carries every kind of call", async () => {
    expect(await client().once({ text: "hello", count: 3 })).toMatchObject({ text: "hello", count: 3 });
    expect((await collect(client().down({ text: "x", count: 4 }))).map(({ count }) => count)).toEqual([1, 2, 3, 4]);
    expect(await client().up(from([{ count: 1 }, { count: 2 }, { count: 39 }]))).toMatchObject({ count: 42 });
    const echoed = await collect(client().both(from([{ text: "a" }, { text: "b" }])));
    expect(echoed.map(({ text }) => text)).toEqual(["a", "b"]);
  });

  it("brings a DomainError back as it was thrown, from every kind of call", async () => {
    const { kind, reason, message, metadata, violations, retryAfterMs } = domainError();
    const expected = { kind, reason, message, metadata, violations, retryAfterMs };
    const calls = [
      () => client().once({ text: "domain" }),
      () => collect(client().down({ text: "domain", count: 2 })),
      () => collect(client().both(from([{ text: "domain" }]))),
    ];
    for (const call of calls) {
      const error = await failureOf(call());
      expect(error).toBeInstanceOf(DomainError);
      expect(error).toMatchObject(expected);
    }
  });

  it("hides a defect behind a reference", async () => {
    for (const call of [() => client().once({ text: "defect" }), () => collect(client().down({ text: "defect" }))]) {
      const error = await failureOf(call());
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ code: Code.Internal });
      expect(error.message).toMatch(/reference [0-9a-f]{12}/);
      expect(JSON.stringify(error) + error.message).not.toContain("hunter2");
    }
  });

  it("refuses what breaks a rule of the proto, naming the field", async () => {
    for (const call of [
      () => client().once({ text: "x".repeat(101) }),
      () => collect(client().down({ text: "x".repeat(101) })),
      () => collect(client().both(from([{ text: "x".repeat(101) }]))),
    ]) {
      expect(await failureOf(call())).toMatchObject({
        kind: "invalid_argument",
        reason: "REQUEST_INVALID",
        violations: [{ field: "text", description: expect.stringContaining("100") }],
      });
    }
  });

  it("says of a method that is not there yet that it is in the contract", async () => {
    for (const call of [() => client().missing({}), () => collect(client().missingStream(from([{}])))]) {
      expect(await failureOf(call())).toMatchObject({ kind: "unimplemented", reason: "METHOD_NOT_IMPLEMENTED" });
    }
  });

  it("ends a call at its deadline, even when the handler is deaf", async () => {
    for (const text of ["slow", "deaf"]) {
      const error = await failureOf(client().once({ text }, { timeoutMs: 100 }));
      expect(error).toMatchObject({ kind: "deadline_exceeded" });
    }
  });

  it("tells the handler the deadline, and its own default when there is none", async () => {
    seen.contexts.length = 0;
    await client().once({ text: "a" }, { timeoutMs: 5000 });
    await client().once({ text: "b" });
    const [given, assumed] = seen.contexts.map((context) => context.timeoutMs() as number);
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThanOrEqual(5000);
    expect(assumed).toBeGreaterThan(5000);
    expect(assumed).toBeLessThanOrEqual(30_000);
  });

  it("carries cancellation to the handler", async () => {
    seen.contexts.length = 0;
    const abort = new AbortController();
    const call = client().once({ text: "slow" }, { signal: abort.signal });
    while (seen.contexts.length === 0) await sleep(1);
    abort.abort();
    expect(await failureOf(call)).toMatchObject({ code: Code.Canceled });
    await aborted(seen.contexts[0]?.signal);
  });

  it("ends a stream whose reader breaks off", async () => {
    seen.contexts.length = 0;
    for await (const { count } of client().down({ text: "slow", count: 2 })) if (count === 2) break;
    await expect(aborted(seen.contexts[0]?.signal)).resolves.toBeUndefined();
  });

  it("carries metadata to the handler", async () => {
    seen.contexts.length = 0;
    await client().once({ text: "a" }, { headers: { "x-team": "blue" } });
    expect(seen.contexts[0]?.requestHeader.get("x-team")).toBe("blue");
  });

  describe("openStream", () => {
    it("sends, receives in order and ends cleanly", async () => {
      const { stream, received, ended } = open(transport);
      for (let count = 0; count < 1000; count += 1) stream.send({ text: "n", count });
      stream.close();
      expect(await ended).toBeUndefined();
      expect(received.map(({ count }) => count)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
      expect(stream.send({ text: "late" })).toBe(false);
    });

    it("ends with the DomainError of the handler", async () => {
      const { stream, ended } = open(transport);
      stream.send({ text: "domain" });
      expect(await ended).toMatchObject({ reason: "QUEUE_FULL", retryAfterMs: 1500 });
    });

    it("ends when it is cancelled, and the handler hears of it", async () => {
      seen.contexts.length = 0;
      const { stream, received, ended } = open(transport);
      stream.send({ text: "hello" });
      while (received.length === 0) await sleep(1);
      stream.cancel();
      expect(await ended).toMatchObject({ code: Code.Canceled });
      await aborted(seen.contexts[0]?.signal);
    });

    it("holds messages back while it is paused", async () => {
      const { stream, received, ended } = open(transport);
      stream.pause();
      stream.send({ text: "a" });
      await sleep(50);
      expect(received).toEqual([]);
      stream.resume();
      stream.close();
      expect(await ended).toBeUndefined();
      expect(received.map(({ text }) => text)).toEqual(["a"]);
    });

    it("ends a stream whose sender does not hold back", async () => {
      const { stream, ended } = open(transport);
      stream.pause();
      let sent = 0;
      while (sent < 200_000) {
        stream.send({ text: "x" });
        sent += 1;
      }
      expect(await ended).toMatchObject({ kind: "resource_exhausted", reason: "OVERLOADED" });
    });

    it("asks to hold back when the peer does not read, and says when there is room", async () => {
      let drained = 0;
      const { stream, received, ended } = open(transport, () => (drained += 1));
      stream.pause();
      const items = Array.from({ length: 100 }, (_, seq) => ({ id: "i", seq, body: "x".repeat(1000) }));
      let sent = 0;
      while (sent < 20_000) {
        sent += 1;
        if (!stream.send({ text: "n", count: sent, items: sent % 100 === 0 ? items : [] })) break;
      }
      expect(sent).toBeLessThan(20_000);
      stream.resume();
      while (drained === 0) await sleep(1);
      stream.close();
      expect(await ended).toBeUndefined();
      expect(received.map(({ count }) => count)).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    });
  });
});

describe("other clients", () => {
  it.each([
    ["gRPC over h2c", () => nodeGrpc({ baseUrl: url })],
    ["gRPC-Web over h2c", () => createGrpcWebTransport({ baseUrl: url, httpVersion: "2" })],
    ["gRPC-Web over HTTP/1.1", () => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" })],
    ["Connect over HTTP/1.1", () => nodeConnect({ baseUrl: url, httpVersion: "1.1" })],
    ["Connect JSON over HTTP/1.1", () => nodeConnect({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false })],
  ])("%s: calls, streams, and error details", async (_, transport) => {
    const client = createClient(EchoService, transport());
    expect(await client.once({ text: "hi" })).toMatchObject({ text: "hi" });
    expect(await collect(client.down({ text: "x", count: 3 }))).toHaveLength(3);
    const { reason, violations, retryAfterMs, metadata } = domainError();
    for (const call of [() => client.once({ text: "domain" }), () => collect(client.down({ text: "domain" }))]) {
      expect(toDomainError(await failureOf(call()))).toMatchObject({ reason, violations, retryAfterMs, metadata });
    }
  });

  it("says UNAVAILABLE when nobody listens", async () => {
    const transport = createGrpcTransport("127.0.0.1:1");
    expect(await failureOf(createRpcClient(EchoService, transport).once({}))).toMatchObject({ kind: "unavailable" });
    const { ended } = open(transport);
    expect(await ended).toMatchObject({ kind: "unavailable" });
    transport.close();
  });
});

function open(transport: RpcTransport, onDrain?: () => void) {
  const received: Echo[] = [];
  let settle: (error: Error | undefined) => void = () => {};
  const ended = new Promise<Error | undefined>((resolve) => {
    settle = resolve;
  });
  let ends = 0;
  const stream = transport.openStream(EchoService.method.both, {
    onMessage: (message) => received.push(message),
    onEnd(error) {
      ends += 1;
      settle(ends === 1 ? error : new Error("onEnd was called twice"));
    },
    onDrain,
  });
  return { stream, received, ended };
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of source) all.push(value);
  return all;
}

async function* from<T>(values: T[]): AsyncIterable<T> {
  yield* values;
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the call succeeded, but should have failed");
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) reject(new Error("the handler was never called"));
    else if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
