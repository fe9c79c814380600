import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startEmbeddedPostgres } from "@heddle/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HEDDLE = join(ROOT, "libs/cli/bin/heddle.js");
const HELLO = join(ROOT, "examples/01-hello/hello.yaml");
const UNKNOWN_ID = "01990f5e-0000-7000-8000-000000000000";

const APPROVAL = `workflow:
  id: approval
  type: dag
  nodes:
    - { id: question, type: action, subtype: wait, params: { signal: approved } }
    - id: decision
      type: control
      subtype: switch
      condition: "\${question.output.yes}"
      branches: [{ case: true, target: go }, { default: stop }]
    - { id: go, type: action, subtype: transform, params: { value: "approved by \${question.output.by}" } }
    - { id: stop, type: action, subtype: fail, params: { message: "refused by \${question.output.by}", type: refused } }
  output: { text: "\${go.output}" }
`;
const NOBODY = `workflow:
  id: nobody
  type: dag
  nodes: [{ id: lonely, type: tool, tool: tool_that_nobody_has }]
`;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

describe("heddle against the one-process suite", () => {
  let folder: string;
  let dev: ChildProcess;
  let address: string;

  const heddle = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, HEDDLE_ADDRESS: address };
      execFile(process.execPath, [HEDDLE, ...args], { env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await heddle(...args, "--json")).stdout) as T;
  const start = async (file: string): Promise<string> => (await heddle("run", join(folder, file))).stdout.trim();

  async function startDev(port = "0"): Promise<void> {
    const args = [
      "dev",
      "--port",
      port,
      "--data-dir",
      join(folder, "data"),
      "--event-log",
      join(folder, "events.jsonl"),
    ];
    dev = spawn(process.execPath, [HEDDLE, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: dev.stdout as NodeJS.ReadableStream })) {
      const url = /ready at (http:\S+)/.exec(line)?.[1];
      if (url === undefined) continue;
      address = url;
      return;
    }
    throw new Error("heddle dev ended before it was ready");
  }

  async function stopDev(): Promise<number | null> {
    const exited = once(dev, "exit");
    dev.kill("SIGTERM");
    const [code] = (await exited) as [number | null];
    return code;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-cli-"));
    await writeFile(join(folder, "approval.yaml"), APPROVAL);
    await writeFile(join(folder, "nobody.yaml"), NOBODY);
    await writeFile(join(folder, "broken.yaml"), APPROVAL.replace("target: go", "target: gone"));
    await startDev();
  });
  afterAll(async () => {
    if (dev.exitCode === null) await stopDev();
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, "data", "postgres") });
    await postgres.stop();
    for (const path of [postgres.dataPath, folder]) await rm(path, { recursive: true, force: true });
  });

  it("runs a file to its end and prints the output", async () => {
    const { code, stdout, stderr } = await heddle("run", HELLO, "--input", '{"names":["Ada"]}', "--watch");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ text: "Hello, Ada!", count: 1 });
    expect(stderr).toContain("published hello v1");
    expect(stderr).toMatch(/task completed +sorted/);
    expect((await heddle("run", HELLO, "--input", '{"names":["Ada"]}', "--wait")).stderr).not.toContain("published");
  });

  it("refuses an input that does not fit, by its path", async () => {
    const { code, stderr } = await heddle("run", "hello", "--input", '{"names":[1]}');
    expect(code).toBe(2);
    expect(stderr).toContain("(INPUT_INVALID)");
    expect(stderr).toMatch(/names.*0/);
  });

  it("shows why a definition is refused, in the file", async () => {
    const { code, stderr } = await heddle("publish", join(folder, "broken.yaml"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/broken\.yaml:10:\d+: error .*"gone"/);
    expect(stderr).toMatch(/\d+ \| .*target: gone/);
  });

  it("steers an execution: suspend, resume, signal", async () => {
    const id = await start("approval.yaml");
    expect(await json("get", id)).toMatchObject({
      status: "EXECUTION_STATUS_RUNNING",
      nodes: [{ signal: "approved" }, {}, {}, {}],
    });
    expect((await heddle("suspend", id, "--reason", "lunch")).stdout).toContain("suspended");
    expect((await heddle("resume", id)).stdout).toContain("running");
    await heddle("signal", id, "approved", "--payload", '{"yes":true,"by":"Ada"}');
    const watched = await heddle("watch", id);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('"text": "approved by Ada"');
    const tree = (await heddle("get", id)).stdout;
    expect(tree).toMatch(/✓ +question/);
    expect(tree).toMatch(/↷ {3}stop +skipped: not chosen/);
    expect((await heddle("history", id)).stdout).toMatch(/execution suspended +lunch/);
    const { events } = await json<{ events: { seq: string }[] }>("history", id);
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, index) => index + 1));
    expect((await heddle("cancel", id)).code).toBe(6);
  });

  it("exits with 1 when the workflow fails or is canceled", async () => {
    const failing = await start("approval.yaml");
    await heddle("signal", failing, "approved", "--payload", '{"yes":false,"by":"Bob"}');
    const failed = await heddle("watch", failing);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("refused in node stop: refused by Bob");
    const canceled = await start("approval.yaml");
    await heddle("cancel", canceled, "--reason", "no longer needed");
    expect((await heddle("watch", canceled)).code).toBe(1);
  });

  it("says what waits and why", async () => {
    const id = await start("nobody.yaml");
    const { stdout } = await heddle("queue", "--name", "tool_that_nobody_has");
    expect(stdout).toMatch(/tool:tool_that_nobody_has +1 +0 +0 +none/);
    expect((await heddle("explain", id)).stdout).toMatch(/no worker: .*tool_that_nobody_has/);
    expect((await heddle("workers")).stdout).toContain("tool:http_request");
    await heddle("cancel", id);
  });

  it("starts once with a request id", async () => {
    const first = await heddle("run", "approval", "--request-id", "order-7");
    const second = await heddle("run", "approval", "--request-id", "order-7");
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toContain("order-7 was used before");
    await heddle("cancel", first.stdout.trim());
  });

  it("tells what is not there", async () => {
    expect(await heddle("get", UNKNOWN_ID)).toMatchObject({ code: 3 });
    expect(await heddle("run", "no-such-workflow")).toMatchObject({ code: 3 });
    expect(await heddle("run", "hello", "--workflow-version", "99", "--input", '{"names":["x"]}')).toMatchObject({
      code: 3,
    });
  });

  it("ends in order, logs each event once over restarts, and goes on where it was", async () => {
    const id = await start("approval.yaml");
    // Somebody watches all the time, and need not do anything about the restart.
    const watch = spawn(process.execPath, [HEDDLE, "watch", id, "--address", address], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    watch.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const watchEnded = once(watch, "exit");
    while (!stdout.includes("wait started")) await once(watch.stdout, "data");
    expect(await stopDev()).toBe(0);
    await startDev(new URL(address).port);
    await heddle("signal", id, "approved", "--payload", '{"yes":true,"by":"Eve"}');
    expect(await watchEnded).toEqual([0, null]);
    expect(stdout.match(/wait started/g)).toHaveLength(1);
    expect(stdout).toContain('"text": "approved by Eve"');
    expect(await stopDev()).toBe(0);
    const lines = (await readFile(join(folder, "events.jsonl"), "utf8")).trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as { id: string; type: string; subject: string });
    const ids = events.map(({ id: eventId }) => eventId);
    expect(new Set(ids).size).toBe(ids.length);
    const ofExecution = ids.filter((eventId) => eventId.startsWith(id));
    expect(ofExecution).toEqual(ofExecution.map((_, index) => `${id}/${index + 1}`));
    expect(ofExecution.length).toBeGreaterThan(5);
    expect(events.some(({ type }) => type === "heddle.definition.v1.DefinitionEvent")).toBe(true);
  });
});
