import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function start(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { text: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.text += chunk.toString()));
  return { child, output, exited: once(child, "close") as Promise<[number | null]> };
}

it("tells its settings, without secrets", async () => {
  const { output, exited } = start(["check-config"], { OPENAI_API_KEY: "sk-secret", HEDDLE_WORKER_SLOTS: "5" });
  expect(await exited).toEqual([0, null]);
  expect(output.text).toMatch(/HEDDLE_WORKER_SLOTS +5\n/);
  expect(output.text).not.toContain("sk-secret");
});

it("refuses settings that are wrong, all at once", async () => {
  const { output, exited } = start([], { HEDDLE_WORKER_SLOTS: "none", HEDDLE_ADDRESS: "nowhere" });
  expect(await exited).toEqual([2, null]);
  expect(output.text).toContain("HEDDLE_WORKER_SLOTS");
  expect(output.text).toContain("HEDDLE_ADDRESS");
});

it("waits for a scheduler, answers probes meanwhile, and ends in order at SIGTERM", async () => {
  const { child, output, exited } = start([], { HEDDLE_ADDRESS: "http://127.0.0.1:1", HEDDLE_PORT: "0" });
  await expect.poll(() => output.text, { timeout: 20_000 }).toContain("worker is not connected");
  const url = /"url":"(http:[^"]+)"/.exec(output.text)?.[1] ?? "";
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`${url}/healthz`)).status).toBe(503);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("heddle_worker_connected 0");
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});
