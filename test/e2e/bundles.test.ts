import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);

let folder: string;
let database: TestDatabase;
let env: Record<string, string>;
beforeAll(async () => {
  // Outside of the tree: what a bundle lacks must not be found there by chance.
  folder = await mkdtemp(join(tmpdir(), "heddle-bundles-"));
  await run(process.execPath, ["scripts/bundle.ts", folder]);
  database = await createTestDatabase({ schema: "unused", migrations: [] });
  env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: database.url, KAFKA_BROKERS: "127.0.0.1:1", HEDDLE_PORT: "0" };
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

it("there is one for every service, and the command", async () => {
  expect((await readdir(folder)).toSorted()).toEqual(["cli", ...(await readdir("services"))].toSorted());
});

it("each says what it is made of", async () => {
  const text = await readFile(join(folder, "execution", "sbom.cdx.json"), "utf8");
  const { components } = JSON.parse(text) as { components: { name: string; version: string }[] };
  const { version } = JSON.parse(await readFile("node_modules/kafkajs/package.json", "utf8")) as { version: string };
  expect(components).toContainEqual(expect.objectContaining({ name: "kafkajs", version }));
  expect(components).toContainEqual(expect.objectContaining({ name: "node", version: process.versions.node }));
});

it("the command runs, with nothing beside it", async () => {
  const { stdout } = await run(process.execPath, ["main.js", "version"], { cwd: join(folder, "cli"), env });
  expect(stdout).toMatch(/^heddle \d+\.\d+\.\d+/);
});

it.each(["definition", "execution", "scheduler", "statemachine"])(
  "%s migrates its schema and serves, with nothing beside it",
  async (name) => {
    const cwd = join(folder, name);
    const { stdout } = await run(process.execPath, ["main.js", "migrate"], { cwd, env });
    expect(stdout).toContain("migrations have run");
    expect(await serve(cwd, { HEDDLE_TOPICS_FILE: "topics.yaml" })).toContain(`${name} is ready`);
  },
);

it("gateway serves, with nothing beside it", async () => {
  expect(await serve(join(folder, "gateway"), {})).toContain("gateway is ready");
});

it("worker looks for a scheduler, with nothing beside it", async () => {
  const log = await serve(join(folder, "worker"), { HEDDLE_ADDRESS: "http://127.0.0.1:1" }, "worker is not connected");
  expect(log).toContain("it tries again until it is");
});

/** Runs it until its log says so, and ends it. */
async function serve(cwd: string, more: Record<string, string>, until = "is ready"): Promise<string> {
  const child = spawn(process.execPath, ["main.js"], {
    cwd,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "close");
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  try {
    await expect.poll(() => log, { timeout: 30_000 }).toContain(until);
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
  return log;
}
