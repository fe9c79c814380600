import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createProxyThread, type ProxyThread, type RemoteProxy } from "./proxy-thread.ts";

/** A server that repeats what it is told, in a thread of its own as well. */
const ECHO = `
  const { createServer } = require("node:net");
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  server.listen(0, "127.0.0.1", () => require("node:worker_threads").parentPort.postMessage(server.address().port));`;

let echo: Worker;
let proxies: ProxyThread;
let proxy: RemoteProxy;

beforeEach(async () => {
  echo = new Worker(ECHO, { eval: true, execArgv: [] });
  const [port] = (await once(echo, "message")) as [number];
  proxies = createProxyThread();
  proxy = await proxies.open(port);
});

afterEach(async () => {
  await proxies.close();
  await echo.terminate();
});

async function ask(text: string): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(proxy.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return { socket, answer: String(answer) };
}

it("goes on while the thread that asked for it stands still", () => {
  const client = `require("node:net").connect(${proxy.port}, "127.0.0.1").on("data", (data) => {
    process.stdout.write(String(data), () => process.exit(0)); }).write("hello")`;
  const { stdout } = spawnSync(process.execPath, ["-e", client], { encoding: "utf8", timeout: 20_000 });
  expect(stdout).toBe("hello");
});

it("cuts and mends as it is told, and says how many connections there were", async () => {
  const { socket, answer } = await ask("a");
  expect(answer).toBe("a");
  const closed = once(socket, "close");
  expect(await proxy.cut({ refuse: true })).toBe(1);
  await closed;
  const refused = connect(proxy.port, "127.0.0.1");
  refused.on("error", () => undefined);
  await once(refused, "close");
  await proxy.mend();
  const again = await ask("b");
  expect(again.answer).toBe("b");
  again.socket.destroy();
});

it("swallows an answer, and says when nothing was asked", async () => {
  expect(await proxy.swallowAnswer(["commit"], 10)).toBe(false);
  const swallowed = proxy.swallowAnswer(["commit"], 20_000);
  const socket = connect(proxy.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("commit");
  await once(socket, "close");
  expect(await swallowed).toBe(true);
  expect(socket.bytesRead).toBe(0);
});

it("tells whoever waits when the thread has ended", async () => {
  const swallowed = proxy.swallowAnswer(["never"], 20_000);
  const [ended] = await Promise.allSettled([swallowed, proxies.close()]);
  expect(ended).toMatchObject({ status: "rejected", reason: { message: "the thread of the proxies has ended" } });
});
