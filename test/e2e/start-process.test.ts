import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "@heddle/testing";
import { findProcess, type ServiceProcess, startProcess } from "@heddle/up";
import { afterEach, beforeEach, expect, it } from "vitest";

let logDir: string;
let started: ServiceProcess | undefined;
beforeEach(async () => {
  logDir = await mkdtemp(join(tmpdir(), "heddle-process-"));
});
afterEach(async () => {
  started?.resume();
  await started?.kill();
  started = undefined;
  await rm(logDir, { recursive: true });
});

const healthOf = async (url: string): Promise<number> => {
  const response = await fetch(`${url}/healthz`, {
    signal: AbortSignal.timeout(2_000),
    headers: { connection: "close" },
  });
  return response.status;
};

it("starts a service, kills it, and starts it again as the same", async () => {
  started = await startProcess({ service: "gateway", logDir, name: "edge" });
  const { url, pid } = started;
  expect(await healthOf(url)).toBe(200);
  await started.kill();
  expect(findProcess(pid)).toBeUndefined();
  expect(started.identity).toBeUndefined();
  expect(() => started?.pid).toThrow("edge does not run");

  await started.start();
  expect(started.url).toBe(url);
  expect(started.pid).not.toBe(pid);
  expect(await started.stop()).toBe(0);
  expect(started.readLog().match(/gateway is ready/g)).toHaveLength(2);
  expect(started.readLog().match(/shutting down/g)).toHaveLength(1);
});

it("pauses and wakes it; a paused one can be stopped in order", async () => {
  started = await startProcess({ service: "gateway", logDir });
  started.pause();
  await expect(healthOf(started.url)).rejects.toThrow(/timeout/);
  started.resume();
  expect(await healthOf(started.url)).toBe(200);
  started.pause();
  expect(await started.stop()).toBe(0);
});

it("says what went wrong with one that does not become ready", async () => {
  const env = { DATABASE_URL: "", KAFKA_BROKERS: "" };
  const starting = startProcess({ service: "execution", logDir, env });
  await expect(starting).rejects.toThrow(
    /execution ended with code 2; the end of .*execution\.log:\n(.*\n)*.*DATABASE_URL is missing/,
  );
});

it.each(["execution", "scheduler"] as const)("ends a replica of %s whose name another one takes", async (service) => {
  const database = await createTestDatabase({ schema: "unused", migrations: [] });
  const env = {
    DATABASE_URL: database.url,
    // Nothing is published here, and no broker needs to be there.
    KAFKA_BROKERS: "127.0.0.1:1",
    HEDDLE_MIGRATE: "true",
    HEDDLE_OWNER: "one-name",
  };
  const first = await startProcess({ service, logDir, name: "first", env });
  try {
    started = await startProcess({ service, logDir, name: "second", env });
    await expect.poll(() => first.identity, { timeout: 20_000 }).toBeUndefined();
    expect(await first.stop()).toBe(2);
    expect(first.readLog()).toContain("another process has started under the owner name one-name");
    expect(started.identity).toBeDefined();
  } finally {
    await first.kill();
    await started?.kill();
    await database.drop();
  }
});
