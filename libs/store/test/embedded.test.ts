import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { processState } from "../src/embedded/postmaster.ts";
import { type EmbeddedPostgresOptions, openDatabase, startEmbeddedPostgres } from "../src/index.ts";

const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

function directory(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "heddle-embedded-"));
  cleanup.push(async () => {
    const { stop, dataPath } = await startEmbeddedPostgres({ dataDir });
    await stop();
    for (const path of [dataPath, dataDir]) rmSync(path, { recursive: true, force: true });
  });
  return dataDir;
}

async function ask(url: string, text: string): Promise<unknown> {
  const database = openDatabase({ url, schema: "public", maxConnections: 1 });
  try {
    const { rows } = await database.query<{ answer: unknown }>({ text });
    return rows[0]?.answer;
  } finally {
    await database.close();
  }
}

const setting = (name: string): string => `select current_setting('${name}') as answer`;

test("it starts, keeps its durability, listens on this machine only, and is adopted by the next", async () => {
  const dataDir = directory();
  const first = await startEmbeddedPostgres({ dataDir });
  expect(first.adopted).toBe(false);
  expect(await ask(first.url, setting("fsync"))).toBe("on");
  expect(await ask(first.url, setting("synchronous_commit"))).toBe("on");
  expect(await ask(first.url, setting("full_page_writes"))).toBe("on");
  expect(await ask(first.url, setting("listen_addresses"))).toBe("127.0.0.1");
  expect(await ask(first.url, setting("unix_socket_directories"))).toBe("");
  const second = await startEmbeddedPostgres({ dataDir });
  expect(second).toMatchObject({ adopted: true, pid: first.pid, url: first.url });
  await second.stop();
  // Whoever is its parent now may take a while to collect it.
  expect(processState(first.pid, first.dataPath)).not.toBe("running");
});

test("nobody enters without the password", async () => {
  const { url } = await startEmbeddedPostgres({ dataDir: directory() });
  const guess = new URL(url);
  guess.password = "guess";
  await expect(ask(guess.href, "select 1 as answer")).rejects.toThrow("password authentication failed");
});

test("after a stop it comes back on the same port with its data", async () => {
  const dataDir = directory();
  const first = await startEmbeddedPostgres({ dataDir });
  await ask(first.url, "create table kept as select 42 as n");
  await first.stop();
  const second = await startEmbeddedPostgres({ dataDir });
  expect(second).toMatchObject({ adopted: false, url: first.url });
  expect(await ask(second.url, "select n as answer from kept")).toBe(42);
});

test("a killed postmaster is followed by recovery, with nothing lost that was committed", async () => {
  const dataDir = directory();
  const first = await startEmbeddedPostgres({ dataDir });
  await ask(first.url, "create table kept (n integer)");
  for (let n = 1; n <= 20; n++) await ask(first.url, `insert into kept values (${n})`);
  process.kill(first.pid, "SIGKILL");
  const second = await startEmbeddedPostgres({ dataDir });
  expect(second.adopted).toBe(false);
  expect(await ask(second.url, "select count(*)::int as answer from kept")).toBe(20);
});

test("several that start at the same time share one server", async () => {
  const dataDir = directory();
  const servers = await Promise.all([1, 2, 3, 4].map(() => startEmbeddedPostgres({ dataDir })));
  expect(new Set(servers.map((server) => server.pid)).size).toBe(1);
  expect(servers.filter((server) => !server.adopted).length).toBeGreaterThanOrEqual(1);
});

test("it outlives the process that started it, killed or interrupted", async () => {
  const dataDir = directory();
  const module = new URL("../src/index.ts", import.meta.url).href;
  const script = join(dataDir, "starter.mjs");
  writeFileSync(
    script,
    `import { startEmbeddedPostgres } from ${JSON.stringify(module)};
     const { pid } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
     process.stdout.write(String(pid));
     setInterval(() => {}, 1000);`,
  );
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const starter = spawn(process.execPath, [script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    const [pid] = (await once(starter.stdout, "data")) as [Buffer];
    const exited = once(starter, "exit");
    // To its whole process group, as a terminal does.
    process.kill(-(starter.pid as number), signal);
    await exited;
    const adopted = await startEmbeddedPostgres({ dataDir });
    expect(adopted).toMatchObject({ adopted: true, pid: Number(pid.toString()) });
  }
});

test("a stale lock file, of a process that is another program by now, does not keep it from starting", async () => {
  const dataDir = directory();
  const first = await startEmbeddedPostgres({ dataDir });
  await first.stop();
  const lock = [process.pid, join(dataDir, "data"), 1, first.port, "", "127.0.0.1", "", "ready"].join("\n");
  writeFileSync(join(dataDir, "data", "postmaster.pid"), lock);
  expect((await startEmbeddedPostgres({ dataDir })).adopted).toBe(false);
});

test("a taken port is named, unless the choice was ours", async () => {
  const dataDir = directory();
  const first = await startEmbeddedPostgres({ dataDir });
  await first.stop();
  const occupant = createServer();
  await new Promise<void>((resolve) => occupant.listen(first.port, "127.0.0.1", resolve));
  cleanup.push(() => new Promise((resolve) => occupant.close(() => resolve())));
  await expect(startEmbeddedPostgres({ dataDir, port: first.port })).rejects.toThrow(`port ${first.port} is taken`);
  const other = await startEmbeddedPostgres({ dataDir });
  expect(other.port === first.port).toBe(false);
});

test("data of another major version is refused with the way out", async () => {
  const dataDir = directory();
  const { stop } = await startEmbeddedPostgres({ dataDir });
  await stop();
  const binaries: EmbeddedPostgresOptions["binaries"] = { bin: "/nowhere", major: 9 };
  await expect(startEmbeddedPostgres({ dataDir, binaries })).rejects.toThrow("set HEDDLE_POSTGRES_BIN to version");
});
