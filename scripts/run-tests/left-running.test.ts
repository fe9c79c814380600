import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { findLeftRunning, RUN_MARK } from "./left-running.ts";

test("finds what a run left running, and nothing else", async ({ skip }) => {
  if (!existsSync("/proc/self/environ")) skip("this system has no /proc");
  const run = randomUUID();
  const child = spawn("sleep", ["1000"], { env: { ...process.env, [RUN_MARK]: run }, detached: true, stdio: "ignore" });
  await once(child, "spawn");
  const found = findLeftRunning(run);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(found).toEqual([{ pid: child.pid, command: "sleep 1000" }]);
  expect(findLeftRunning(run)).toEqual([]);
});

test("leaves a server alone that other runs share, and what belongs to it", async ({ skip }) => {
  if (!existsSync("/proc/self/environ")) skip("this system has no /proc");
  const run = randomUUID();
  const script =
    "require('node:child_process').spawn('sleep', ['1000']); console.log('ready'); setInterval(() => {}, 1000)";
  const server = spawn("node", ["-e", script, "/tmp/heddle-tests-0/postgres"], {
    env: { ...process.env, [RUN_MARK]: run },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(server.stdout, "data");
  const found = findLeftRunning(run);
  process.kill(-(server.pid ?? 0), "SIGKILL");
  await once(server, "exit");
  expect(found).toEqual([]);
});
