import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("the proxy", () => {
  let server: Server;
  let received: string[];
  let proxy: TcpProxy;
  let clients: Socket[];

  beforeEach(async () => {
    received = [];
    clients = [];
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        received.push(String(chunk));
        socket.write(`done ${String(chunk)}`);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy = await createTcpProxy({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.close();
    server.close();
    await once(server, "close");
  });

  async function open(): Promise<Socket> {
    const client = connect(proxy.port, proxy.host);
    clients.push(client);
    client.on("error", () => undefined);
    await once(client, "connect");
    return client;
  }

  async function ask(client: Socket, text: string): Promise<string> {
    client.write(text);
    return String((await once(client, "data"))[0]);
  }

  it("passes bytes on in both directions", async () => {
    expect(await ask(await open(), "a")).toBe("done a");
    expect(proxy.connections).toBe(1);
  });

  it("breaks all connections, and takes new ones", async () => {
    const client = await open();
    await ask(client, "a");
    const closed = once(client, "close");
    proxy.cut();
    await closed;
    expect(await ask(await open(), "b")).toBe("done b");
  });

  it("takes none while it refuses", async () => {
    proxy.cut({ refuse: true });
    await once(await open(), "close");
    proxy.mend();
    expect(await ask(await open(), "b")).toBe("done b");
  });

  it("swallows the answer to a request that was done", async () => {
    const client = await open();
    await ask(client, "a");
    const swallowed = proxy.swallowAnswer(["commit"], new AbortController().signal);
    expect(await ask(client, "b")).toBe("done b");
    const closed = once(client, "close");
    client.on("data", (chunk) => expect.fail(`got ${String(chunk)}`));
    client.write("commit");
    await closed;
    expect(await swallowed).toBe(true);
    expect(received).toEqual(["a", "b", "commit"]);
  });

  it("gives up a trap that nothing sprang", async () => {
    const abort = new AbortController();
    const swallowed = proxy.swallowAnswer(["commit"], abort.signal);
    abort.abort();
    expect(await swallowed).toBe(false);
    expect(await ask(await open(), "commit")).toBe("done commit");
  });

  it("delays, and keeps the order also when the delay ends", async () => {
    const client = await open();
    await ask(client, "a");
    // Each comes while those before it are still on their way, and has a shorter way than they had.
    for (let index = 0; index < 9; index++) {
      proxy.delay(90 - 10 * index);
      client.write(String(index));
      await setImmediate();
    }
    proxy.mend();
    client.write("9");
    await expect.poll(() => received.join("")).toBe("a0123456789");
  });
});
