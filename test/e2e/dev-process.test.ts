import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { createClient, type Client } from "@heddle/sdk";
import { startEmbeddedPostgres } from "@heddle/store";
import { createTestDatabase } from "@heddle/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const MAIN = fileURLToPath(new URL("../../deploy/dev/main.ts", import.meta.url));

const APPROVAL = `workflow:
  id: approval
  type: dag
  nodes:
    - { id: approved, type: action, subtype: wait, params: { signal: approve } }
    - { id: sum, type: tool, tool: transform, dependencies: [approved], inputs: { value: "\${input.n + 1}" } }
  output: "\${approved.output}"
`;

/** Runs the suite to its end, for starts that are refused. */
async function runToEnd(env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    env: { ...process.env, HEDDLE_PORT: "0", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

async function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as { port: number }).port, server };
}

/** Publishes, and starts one execution that waits for its signal. */
async function startApproval(client: Client): Promise<string> {
  await client.publish({ source: APPROVAL });
  const { executionId } = await client.start({ workflowId: "approval", input: { n: 1 } });
  return executionId;
}

async function finishApproval(client: Client, executionId: string): Promise<void> {
  await client.signal(executionId, "approve", "yes", { timeoutMs: 60_000 });
  expect(await client.result(executionId, { timeoutMs: 60_000 })).toBe("yes");
}

const postmasterPid = (dataDir: string): number =>
  Number(readFileSync(join(dataDir, "postgres/data/postmaster.pid"), "utf8").split("\n")[0]);

describe("a start that cannot succeed says why, with code 1 and without a stack", () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "heddle-refused-"));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  it("tells every fault of the configuration at once, the worker's too", async () => {
    const { code, stderr } = await runToEnd({
      HEDDLE_DATA_DIR: dataDir,
      HEDDLE_PORT: "no-port",
      HEDDLE_LOG_LEVEL: "loud",
      HEDDLE_HTTP_TIMEOUT: "soon",
      HEDDLE_DATA_DRI: "x",
      DATABASE_URL: "mysql://user:hunter2@db/x",
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^heddle: the configuration has 4 faults:\n/);
    for (const name of ["HEDDLE_PORT", "HEDDLE_LOG_LEVEL", "HEDDLE_HTTP_TIMEOUT", "DATABASE_URL"]) {
      expect(stderr).toContain(`\n  ${name} `);
    }
    expect(stderr).not.toMatch(/\n +at |hunter2/);
  });

  it("suggests the variable that was probably meant", async () => {
    const { code, stderr } = await runToEnd({ HEDDLE_DATA_DIR: dataDir, HEDDLE_HTTP_ALOW: "localhost" });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("did you mean HEDDLE_HTTP_ALLOW?") });
  });

  it("names the database that does not answer", async () => {
    const { port, server } = await occupyPort();
    await new Promise((resolve) => server.close(resolve));
    const { code, stderr } = await runToEnd({
      HEDDLE_DATA_DIR: dataDir,
      DATABASE_URL: `postgres://user:hunter2@127.0.0.1:${port}/x`,
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `heddle: the Postgres of DATABASE_URL cannot be used: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    );
    // Nothing is left that would keep the next start away.
    expect(existsSync(join(dataDir, "dev.json"))).toBe(false);
  });
});

describe("one data directory", () => {
  let dev: TestDevProcess;
  let client: Client;

  async function start(options: Parameters<typeof startDev>[0] = {}): Promise<void> {
    dev = await startDev({ dataDir: dev?.dataDir, ...options });
    client = createClient({ address: dev.url });
  }
  beforeEach(() => start());
  afterEach(async () => {
    client.close();
    if (dev.child.exitCode === null && dev.child.signalCode === null) await dev.kill();
  });
  afterAll(() => disposeDev(dev));

  it("is one process's: a second one is told whose", async () => {
    const { code, stderr } = await runToEnd({ HEDDLE_DATA_DIR: dev.dataDir });
    expect(code).toBe(1);
    expect(stderr).toContain(`pid ${dev.pid} already works on ${dev.dataDir} at ${dev.url}`);
    await finishApproval(client, await startApproval(client));
  });

  it("is taken over after kill -9, with the Postgres that runs on", async () => {
    const executionId = await startApproval(client);
    const postgres = postmasterPid(dev.dataDir);
    await dev.kill();
    client.close();
    await start();
    expect(postmasterPid(dev.dataDir)).toBe(postgres);
    await finishApproval(client, executionId);
  });

  it("takes another port when its own is taken, and says so", async () => {
    const { port, server } = await occupyPort();
    try {
      await dev.stop();
      const { code, stderr } = await runToEnd({
        HEDDLE_DATA_DIR: dev.dataDir,
        HEDDLE_PORT: String(port),
        HEDDLE_PORT_FALLBACK: "0",
      });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `heddle: port ${port} of 127.0.0.1 is taken by another process; stop it or choose another port\n`,
      });
      const lines: string[] = [];
      client.close();
      await start({ port, onLine: (line) => lines.push(line) });
      expect(Number(new URL(dev.url).port)).toBeGreaterThan(port);
      expect(lines[0]).toBe(`port ${port} is taken; another one is used`);
      await finishApproval(client, await startApproval(client));
    } finally {
      server.close();
    }
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "drains on %s: streams end with UNAVAILABLE, the code is 0",
    async (signal) => {
      const executionId = await startApproval(client);
      const transport = createGrpcTransport(dev.url);
      const watching = watchToEnd(transport, executionId);
      await watching.begun;
      const exited = once(dev.child, "exit");
      dev.child.kill(signal);
      expect(await watching.ended).toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
      expect(await exited).toEqual([0, null]);
      transport.close();
      expect(existsSync(join(dev.dataDir, "dev.json"))).toBe(false);
      client.close();
      await start();
      await finishApproval(client, executionId);
    },
  );

  it("ends at once on a second signal, and loses nothing", async () => {
    const executionId = await startApproval(client);
    const transport = createGrpcTransport(dev.url);
    const watching = watchToEnd(transport, executionId);
    await watching.begun;
    // A call that waits for an end that does not come holds the drain up.
    const waiting = createRpcClient(ExecutionService, transport)
      .startExecution({ workflowId: "approval", input: { n: 2 }, wait: { seconds: 60n } })
      .catch((error: unknown) => error);
    await expect
      .poll(async () => (await client.listPage({ workflowId: "approval", status: "running" })).items.length)
      .toBeGreaterThan(1);
    const exited = once(dev.child, "exit");
    dev.child.kill("SIGTERM");
    await watching.ended;
    dev.child.kill("SIGTERM");
    expect(await exited).toEqual([1, null]);
    expect(await waiting).toBeInstanceOf(Error);
    transport.close();
    client.close();
    await start();
    await finishApproval(client, executionId);
  });

  it("goes on when its Postgres is killed -9 and comes back", async () => {
    const executionId = await startApproval(client);
    process.kill(postmasterPid(dev.dataDir), "SIGKILL");
    // Work that meets the outage: it is held, refused to be repeated, or done afterwards, but never lost.
    const meanwhile = Array.from({ length: 5 }, (_, n) =>
      client.start({ workflowId: "approval", input: { n }, requestId: `outage-${n}` }, { timeoutMs: 60_000 }),
    );
    await startEmbeddedPostgres({ dataDir: join(dev.dataDir, "postgres") });
    await finishApproval(client, executionId);
    for (const execution of await Promise.all(meanwhile)) await finishApproval(client, execution.executionId);
    await client.publish({ source: APPROVAL.replace("id: approval", "id: after") });
    expect(await dev.stop()).toBe(0);
  });
});

describe("DATABASE_URL", () => {
  it("takes the place of the embedded server", async () => {
    const database = await createTestDatabase({ schema: "unused", migrations: [] });
    const first = await startDev({ env: { DATABASE_URL: database.url } });
    let dev = first;
    try {
      let client = createClient({ address: dev.url });
      const executionId = await startApproval(client);
      expect(await dev.stop()).toBe(0);
      client.close();
      dev = await startDev({ dataDir: first.dataDir, env: { DATABASE_URL: database.url } });
      client = createClient({ address: dev.url });
      await finishApproval(client, executionId);
      client.close();
      expect(existsSync(join(first.dataDir, "postgres"))).toBe(false);
    } finally {
      await dev.stop();
      await database.drop();
      await rm(first.dataDir, { recursive: true, force: true });
    }
  });
});

/** `begun` when the first events are there; `ended` with what the stream ended with, undefined for an orderly end. */
function watchToEnd(transport: ReturnType<typeof createGrpcTransport>, executionId: string) {
  const begun = Promise.withResolvers<void>();
  const ended = (async () => {
    try {
      for await (const _ of createRpcClient(ExecutionService, transport).watchExecution({ executionId }))
        begun.resolve();
      return undefined;
    } catch (error) {
      begun.reject(error);
      return error;
    }
  })();
  return { begun: begun.promise, ended };
}
