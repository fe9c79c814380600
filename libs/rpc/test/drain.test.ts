import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { HealthCheckResponse_ServingStatus as Serving, Health } from "@heddle/proto/grpc/health/v1/health_pb.js";
import { createMetrics } from "@heddle/telemetry";
import { afterEach, describe, expect, it } from "vitest";
import {
  createForwardingService,
  createGrpcTransport,
  createRpcClient,
  createServer,
  type RpcTransport,
} from "../src/index.ts";
import { echoRoutes, silent, type Seen } from "./echo-server.ts";
import { EchoService } from "./echo-service.ts";

let child: ChildProcess | undefined;
let transport: RpcTransport | undefined;
afterEach(() => {
  transport?.close();
  child?.kill("SIGKILL");
});

async function startChild(drainMs: number): Promise<{ process: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL("drain-child.ts", import.meta.url));
  const process_ = spawn(process.execPath, [script, String(drainMs)], { stdio: ["ignore", "pipe", "inherit"] });
  child = process_;
  const lines = createInterface({ input: process_.stdout });
  const [url] = (await once(lines, "line")) as [string];
  return { process: process_, url };
}

describe("SIGTERM", () => {
  it("lets a unary call finish, ends streams with UNAVAILABLE, refuses new calls, and exits with 0", async () => {
    const { process: server, url } = await startChild(10_000);
    transport = createGrpcTransport(url);
    const client = createRpcClient(EchoService, transport);
    const health = createRpcClient(Health, transport);

    const statuses: Serving[] = [];
    const watching = (async () => {
      for await (const { status } of health.watch({ service: "" })) statuses.push(status);
    })();
    const streams = [
      watching,
      drainAll(client.down({ text: "slow", count: 1 })),
      drainAll(client.down({ text: "deaf", count: 1 })),
      drainAll(client.both(forever())),
    ].map((stream) =>
      stream.then(
        () => new Error("ended as if all were well"),
        (error: Error) => error,
      ),
    );
    const inFlight = client.once({ text: "wait 1000", count: 7 });
    // Everything before it is under way when this is answered: they share one connection.
    await client.once({});
    while (statuses.length === 0) await new Promise(setImmediate);
    const exited = once(server, "exit");
    server.kill("SIGTERM");

    for (const stream of streams) expect(await stream).toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
    expect(statuses).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
    await expect(client.once({ text: "too late" })).rejects.toMatchObject({ kind: "unavailable" });
    expect(await inFlight).toMatchObject({ count: 7 });
    expect(await exited).toEqual([0, null]);
  });

  it("cuts off a call that takes longer than the drain", async () => {
    const { process: server, url } = await startChild(200);
    transport = createGrpcTransport(url);
    const client = createRpcClient(EchoService, transport);
    await client.once({});
    const stuck = client.once({ text: "deaf" }).catch((error: Error) => error);
    await client.once({});
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    expect(await stuck).toMatchObject({ kind: "unavailable" });
    expect(await exited).toEqual([0, null]);
  });

  it("ends at once with 1 when it comes twice", async () => {
    const { process: server, url } = await startChild(60_000);
    transport = createGrpcTransport(url);
    const client = createRpcClient(EchoService, transport);
    await client.once({});
    const stuck = client.once({ text: "deaf" }).catch((error: Error) => error);
    await client.once({});
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    // A call that is faster than the signal is still served.
    let refused: Error | void;
    do refused = await drainAll(client.down({ text: "x" })).catch((error: Error) => error);
    while (refused === undefined);
    expect(refused).toMatchObject({ kind: "unavailable" });
    server.kill("SIGTERM");
    expect(await exited).toEqual([1, null]);
    expect(await stuck).toBeInstanceOf(Error);
  });
});

describe("close", () => {
  it("lets an HTTP/1.1 call finish, without waiting for its connection to be idle", async () => {
    const seen: Seen = { contexts: [] };
    const server = createServer({ routes: echoRoutes(seen), logger: silent });
    const { url } = await server.listen();
    const answer = fetch(`${url}/heddle.rpc.test.EchoService/Once`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"text":"wait 200","count":7}',
    });
    while (seen.contexts.length === 0) await new Promise(setImmediate);
    const closed = server.close();
    expect(await (await answer).json()).toMatchObject({ count: 7 });
    await closed;
  });

  it("ends a hundred streams, and leaves no listener behind", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const metrics = createMetrics();
    const server = createServer({ routes: echoRoutes(), logger: silent, metrics });
    transport = createGrpcTransport((await server.listen()).url);
    const client = createRpcClient(EchoService, transport);
    const streams = Array.from({ length: 100 }, () =>
      drainAll(client.down({ text: "slow", count: 1 })).catch((error: Error) => error),
    );
    await client.once({});
    expect(metrics.text()).toContain("heddle_rpc_open_streams 100");
    await server.close();
    for (const stream of streams) expect(await stream).toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(metrics.text()).toContain("heddle_rpc_open_streams 0");
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("ends a stream that it passes on as unavailable, not as if its caller had left", async () => {
    const behind = createServer({ routes: echoRoutes(), logger: silent });
    const onward = createGrpcTransport((await behind.listen()).url);
    const edge = createServer({
      routes: (router) => router.service(EchoService, createForwardingService(EchoService, onward)),
      logger: silent,
    });
    transport = createGrpcTransport((await edge.listen()).url);
    const client = createRpcClient(EchoService, transport);
    const messages = client.down({ text: "slow", count: 1 })[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ count: 1 });
    const ended = messages.next().catch((error: Error) => error);
    await edge.close();
    expect(await ended).toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
    onward.close();
    await behind.close();
  });

  it("may be called twice, and closes idle connections of every kind", async () => {
    const seen: Seen = { contexts: [] };
    const server = createServer({ routes: echoRoutes(seen), logger: silent });
    const { url } = await server.listen();
    transport = createGrpcTransport(url);
    await createRpcClient(EchoService, transport).once({});
    await (await fetch(`${url}/healthz`)).text();
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
    expect(server.health.statusOf("")).toBe("NOT_SERVING");
  });
});

async function drainAll(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

async function* forever(): AsyncIterable<{ text: string }> {
  yield { text: "first" };
  await new Promise(() => {});
}
