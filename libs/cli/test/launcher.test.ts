import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { startFakeServer } from "./fake-server.ts";
import { executionId } from "./sample.ts";

const BIN = fileURLToPath(new URL("../bin/heddle.js", import.meta.url));
const run = promisify(execFile);

describe("bin/heddle.js", () => {
  it("prints its version", async () => {
    const { stdout } = await run(process.execPath, [BIN, "--version"]);
    expect(stdout).toBe("0.1.0\n");
  });

  it("hands over to the Node that npm installed when it is started by an older one", async (context) => {
    const old = await findOldNode();
    if (old === undefined) return context.skip("no Node 18 to 23 on this machine");
    const { stdout } = await run(old, [BIN, "version"]);
    expect(stdout).toMatch(/^heddle 0\.1\.0 \(Node 2[4-9]\./);
    const failed = await run(old, [BIN, "no-such-command"]).catch((error: { code: number }) => error);
    expect(failed).toMatchObject({ code: EXIT.invalid });
  });

  it.each([
    ["SIGINT", EXIT.interrupted],
    ["SIGTERM", EXIT.terminated],
  ] as const)("ends at %s with %d", async (signal, expected) => {
    const server = await startFakeServer();
    const child = spawn(process.execPath, [BIN, "watch", executionId, "--address", server.url], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await exited).toEqual([expected, null]);
    await server.close();
  });

  it("ends quietly when nobody reads on, as in a pipe to head", async () => {
    const server = await startFakeServer();
    const child = spawn(process.execPath, [BIN, "watch", executionId, "--json", "--address", server.url], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    child.stdout.destroy();
    server.finish("completed");
    expect(await exited).toEqual([EXIT.ok, null]);
    expect(stderr).toBe("");
    await server.close();
  });
});

/** A Node on the PATH, or beside this one, that cannot run the sources itself. */
async function findOldNode(): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const names: string[] = await readdir(folder).catch(() => []);
    if (!names.includes("node")) continue;
    const path = join(folder, "node");
    const version = await run(path, ["--version"]).catch(() => ({ stdout: "" }));
    const major = Number(/^v(\d+)\./.exec(version.stdout)?.[1]);
    if (major >= 18 && major < 24) return path;
  }
  return undefined;
}
