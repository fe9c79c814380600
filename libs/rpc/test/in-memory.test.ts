import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createInMemoryTransport, createRpcClient } from "../src/index.ts";
import { echoRoutes, silent } from "./echo-server.ts";
import { EchoSchema, EchoService, type Echo } from "./echo-service.ts";

describe("createInMemoryTransport", () => {
  it("lets timers run beside a busy loop of calls", async () => {
    const transport = createInMemoryTransport({ routes: echoRoutes(), logger: silent });
    const client = createRpcClient(EchoService, transport);
    let fired = false;
    const timer = sleep(5).then(() => (fired = true));
    let calls = 0;
    while (!fired && calls < 1_000_000) {
      await client.once({});
      calls += 1;
    }
    expect(fired).toBe(true);
    await timer;
    transport.close();
  });

  it("lets timers run beside a stream that answers itself", async () => {
    const transport = createInMemoryTransport({ routes: echoRoutes(), logger: silent });
    let fired = false;
    let messages = 0;
    const ended = new Promise<Error | undefined>((resolve) => {
      const stream = transport.openStream(EchoService.method.both, {
        onMessage() {
          messages += 1;
          if (fired || messages > 5_000_000) stream.close();
          else stream.send({});
        },
        onEnd: resolve,
      });
      stream.send({});
    });
    await sleep(5);
    fired = true;
    expect(await ended).toBeUndefined();
    expect(messages).toBeLessThan(5_000_000);
    transport.close();
  });

  it("reads its routes at the first call, so that services may know each other", async () => {
    let ready = false;
    const transport = createInMemoryTransport({
      routes(router) {
        if (!ready) throw new Error("read too early");
        return echoRoutes()(router);
      },
      logger: silent,
    });
    const client = createRpcClient(EchoService, transport);
    ready = true;
    expect(await client.once({ count: 1 })).toMatchObject({ count: 1 });
    transport.close();
  });

  it("copies the messages of calls", async () => {
    const transport = createInMemoryTransport({ routes: echoRoutes(), logger: silent });
    const sent: Echo = create(EchoSchema, { items: [{ id: "a" }] });
    const received = await createRpcClient(EchoService, transport).once(sent);
    expect(received.items[0]).toMatchObject({ id: "a" });
    expect(received.items[0]).not.toBe(sent.items[0]);
    transport.close();
  });

  it("ends open streams with UNAVAILABLE when it is closed", async () => {
    const transport = createInMemoryTransport({ routes: echoRoutes(), logger: silent });
    const received: Echo[] = [];
    const ended = new Promise<Error | undefined>((resolve) => {
      const stream = transport.openStream(EchoService.method.both, {
        onMessage: (message) => received.push(message),
        onEnd: resolve,
      });
      stream.send({ text: "a" });
    });
    while (received.length === 0) await new Promise(setImmediate);
    transport.close();
    expect(await ended).toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
  });
});
