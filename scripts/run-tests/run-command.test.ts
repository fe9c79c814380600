import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { findLeftRunning, RUN_MARK } from "./left-running.ts";
import { inWords, runCommand, type CommandOptions } from "./run-command.ts";

function node(script: string, more: Partial<CommandOptions> = {}): ReturnType<typeof runCommand> {
  return runCommand({ command: ["node", "-e", script], output: "keep", timeoutMs: 20_000, ...more });
}

test("returns exit code and output", async () => {
  const result = await node("console.log('out'); console.error('err'); process.exitCode = 3");
  expect(result.exitCode).toBe(3);
  expect(result.fault).toBeUndefined();
  expect(result.output.split("\n").sort()).toEqual(["", "err", "out"]);
});

test("passes its environment on", async () => {
  const result = await node("console.log(process.env.HEDDLE_A_MARK)", { env: { HEDDLE_A_MARK: "here" } });
  expect(result.output).toBe("here\n");
});

test("stops what hangs, with its children, and says so", async () => {
  const script = "require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' }); setInterval(() => {}, 1000)";
  const run = randomUUID();
  const result = await node(script, { timeoutMs: 500, env: { [RUN_MARK]: run } });
  expect(result).toMatchObject({ exitCode: undefined, fault: "stopped after 0.5 s" });
  await expect.poll(() => findLeftRunning(run)).toEqual([]);
});

test("stops what makes no progress", async () => {
  const result = await node("setInterval(() => {}, 1000)", { stall: { afterMs: 500, progress: () => 0 } });
  expect(result.fault).toBe("stopped: no test ended for 0.5 s");
});

test("does not wait for a grandchild that holds the output", async () => {
  const script = "require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit', detached: false }).unref()";
  expect((await node(script)).exitCode).toBe(0);
});

test("says when the program is not there", async () => {
  const result = await runCommand({ command: ["no-such-program"], output: "keep", timeoutMs: 1_000 });
  expect(result.fault).toContain("cannot be started");
});

test.each([
  [800, "0.8 s"],
  [42_000, "42 s"],
  [120_000, "2 min"],
  [150_000, "2 min 30 s"],
])("%i ms in words: %s", (ms, words) => {
  expect(inWords(ms)).toBe(words);
});
