import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  createRunDirectory,
  endRunsOfTheDead,
  findKafkaBroker,
  findKafkaRemedy,
  installKafka,
  startKafkaBroker,
} from "../src/index.ts";
import { hasEnded } from "../src/processes.ts";

const cleanup: (() => unknown)[] = [];
beforeEach((context) => {
  const remedy = findKafkaRemedy();
  if (remedy !== undefined) context.skip(remedy);
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

function brokerDirectory(): string {
  const parent = mkdtempSync(join(tmpdir(), "heddle-broker-"));
  cleanup.push(() => rmSync(parent, { recursive: true, force: true }));
  const dir = join(parent, "kafka");
  cleanup.push(() => findKafkaBroker(dir)?.purge());
  return dir;
}

/** Whether a broker answers on the port: ApiVersions, the first request of every client. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const header = Buffer.from([0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]); // api 18, version 0, correlation 7, no client id
  socket.write(Buffer.concat([Buffer.from([0, 0, 0, header.length]), header]));
  try {
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.readInt32BE(4) === 7 && answer.readInt16BE(8) === 0;
  } catch {
    return false; // refused
  } finally {
    socket.destroy();
  }
}

test("it starts, is adopted, keeps port and data over a restart and a crash, and is gone after a purge", async () => {
  const dir = brokerDirectory();
  const broker = await startKafkaBroker({ dir });
  const first = broker.pid;
  const data = readFileSync(join(broker.dir, "data", "meta.properties"), "utf8");
  expect(await answers(broker.port)).toBe(true);
  expect(await startKafkaBroker({ dir })).toMatchObject({ address: broker.address, pid: first });
  await expect(startKafkaBroker({ dir, port: broker.port + 1 })).rejects.toThrow(`runs on port ${broker.port}`);

  await broker.restart();
  const second = broker.pid;
  expect(second).not.toBe(first);
  expect(hasEnded(first)).toBe(true);
  expect(await answers(broker.port)).toBe(true);

  await broker.kill();
  expect(hasEnded(second)).toBe(true);
  expect(() => broker.pid).toThrow(/does not run: start\(\) it/);
  expect(findKafkaBroker(dir)).toBeUndefined();
  await broker.start();
  expect(await answers(broker.port)).toBe(true);
  expect(readFileSync(join(broker.dir, "data", "meta.properties"), "utf8")).toBe(data);

  const third = broker.pid;
  await broker.purge();
  expect(hasEnded(third)).toBe(true);
  expect(existsSync(dir)).toBe(false);
});

test("one that is paused can be stopped, and one that is resumed answers what it was asked meanwhile", async () => {
  const broker = await startKafkaBroker({ dir: brokerDirectory() });
  broker.pause();
  const later = answers(broker.port);
  broker.resume();
  expect(await later).toBe(true);
  broker.pause();
  await broker.stop();
  expect(await answers(broker.port)).toBe(false);
});

test("several that start at the same time share one broker", async () => {
  const dir = brokerDirectory();
  const brokers = await Promise.all([1, 2, 3].map(() => startKafkaBroker({ dir })));
  expect(new Set(brokers.map(({ pid }) => pid)).size).toBe(1);
});

test("a port that somebody else has is said to be taken, and is not taken for the broker's", async () => {
  const server = createServer((socket) => socket.destroy());
  cleanup.push(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const start = startKafkaBroker({ dir: brokerDirectory(), port });
  await expect(start).rejects.toThrow(`port ${port} is taken: free it, or leave it out`);
});

test("settings of the caller come over ours", async () => {
  const broker = await startKafkaBroker({ dir: brokerDirectory(), settings: { "message.max.bytes": 4242 } });
  expect(readFileSync(join(broker.dir, "server.properties"), "utf8")).toContain("message.max.bytes=4242");
});

test("a broker whose owner was killed is ended by the next run, one with a living owner is not", async () => {
  const parent = mkdtempSync(join(tmpdir(), "heddle-runs-"));
  cleanup.push(() => rmSync(parent, { recursive: true, force: true }));
  const script = join(parent, "owner.mjs");
  writeFileSync(
    script,
    `import { createRunDirectory, startKafkaBroker } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
     const { pid } = await startKafkaBroker({ dir: createRunDirectory(${JSON.stringify(join(parent, "runs"))}) + "/shared" });
     process.stdout.write(String(pid));
     setInterval(() => {}, 1000);`,
  );
  const owner = spawn(process.execPath, [script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(owner.stdout, "data")) as [Buffer];
  const pid = Number(output.toString());
  const own = createRunDirectory(join(parent, "runs"));
  expect(await endRunsOfTheDead(join(parent, "runs"))).toEqual([]);
  expect(hasEnded(pid)).toBe(false);

  const exited = once(owner, "exit");
  // To its whole process group, as a terminal does: the broker has a session of its own.
  process.kill(-(owner.pid as number), "SIGKILL");
  await exited;
  expect(hasEnded(pid)).toBe(false);
  expect(await endRunsOfTheDead(join(parent, "runs"))).toHaveLength(1);
  expect(hasEnded(pid)).toBe(true);
  expect(existsSync(own)).toBe(true);
});

test("another program that names the broker's settings is not the broker", async () => {
  const dir = brokerDirectory();
  mkdirSync(dir, { recursive: true });
  const reader = spawn("tail", ["-f", "/dev/null", join(dir, "server.properties")], { stdio: "ignore" });
  cleanup.push(() => reader.kill("SIGKILL"));
  await once(reader, "spawn");
  expect(findKafkaBroker(dir)).toBeUndefined();
});

test("an installation that is there is left as it is, and needs no Maven", async () => {
  const installed = await installKafka();
  const messages: string[] = [];
  expect(await installKafka({ onProgress: (message) => messages.push(message) })).toEqual(installed);
  expect(messages).toEqual([]);
});
