import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { Health, HealthCheckResponse_ServingStatus } from "@heddle/proto/grpc/health/v1/health_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("example-service.ts", import.meta.url));

let database: TestDatabase;
const running = new Set<ReturnType<typeof start>>();
beforeEach(async () => {
  database = await createTestDatabase({ schema: "unused", migrations: [] });
});
afterEach(async () => {
  for (const { child, exited } of running) {
    child.kill("SIGKILL");
    await exited;
  }
  running.clear();
  await database.drop();
});

function start(args: string[] = [], env: Record<string, string> = {}) {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: { PATH, DATABASE_URL: database.url, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { text: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.text += chunk.toString()));
  const exited = once(child, "close").then(([code]) => code as number | null);
  const process_ = {
    child,
    output,
    exited,
    async says(text: string): Promise<void> {
      await expect.poll(() => output.text, { timeout: 20_000 }).toContain(text);
    },
    get url() {
      return /"url":"(http:[^"]+)"/.exec(output.text)?.[1] ?? "";
    },
  };
  running.add(process_);
  return process_;
}

describe("commands", () => {
  it("check-config tells every setting, and every fault with exit code 2", async () => {
    const good = start(["check-config"]);
    expect(await good.exited).toBe(0);
    expect(good.output.text).toMatch(/DATABASE_URL +set \(secret\)\n/);
    expect(good.output.text).not.toContain(database.url);
    const bad = start(["check-config"], { DATABASE_URL: "", HEDDLE_PORT: "x" });
    expect(await bad.exited).toBe(2);
    expect(bad.output.text).toContain("HEDDLE_PORT");
    expect(bad.output.text).toContain("the configuration has 2 faults");
  });

  it("migrate brings the schema up to date; before, the process refuses it with exit code 2", async () => {
    const early = start();
    expect(await early.exited).toBe(2);
    expect(early.output.text).toContain("the schema example lacks 1 migrations (0001_create_things)");
    const migrating = start(["migrate"]);
    expect(await migrating.exited).toBe(0);
    expect(migrating.output.text).toContain("0001_create_things");
    const serving = start();
    await serving.says("example is ready");
  });

  it("migrate grants the rows to the role that serves, and names one that does not exist", async () => {
    const nobody = start(["migrate"], { HEDDLE_DATABASE_GRANT_TO: "heddle_nobody" });
    expect(await nobody.exited).toBe(2);
    expect(nobody.output.text).toContain('the role "heddle_nobody" cannot be granted the schema');
    await database.database.query({ text: "create role heddle_run_process" });
    try {
      const migrating = start(["migrate"], { HEDDLE_DATABASE_GRANT_TO: "heddle_run_process" });
      expect(await migrating.exited).toBe(0);
      const { rows } = await database.database.query({
        text: `select has_table_privilege('heddle_run_process', 'example.things', 'insert') as rows,
          has_schema_privilege('heddle_run_process', 'example', 'create') as tables`,
      });
      expect(rows).toEqual([{ rows: true, tables: false }]);
    } finally {
      await database.database.query({ text: "drop owned by heddle_run_process" });
      await database.database.query({ text: "drop role heddle_run_process" });
    }
  });

  it("refuses any other command", async () => {
    const other = start(["serv"]);
    expect(await other.exited).toBe(2);
    expect(other.output.text).toContain('example: "serv" is no command of this program; it has serve, check-config');
  });
});

describe("serving", () => {
  const migrated = { HEDDLE_MIGRATE: "true" };

  it("waits for the database, says so to probes and callers, and then serves", async () => {
    const { hostname, port } = new URL(database.url);
    const gate = createServer((socket) => {
      const onward = connect(Number(port), hostname);
      for (const one of [socket, onward]) one.on("error", () => one.destroy());
      socket.pipe(onward).pipe(socket);
    });
    const address = await freeAddress(gate);
    const serving = start([], { ...migrated, DATABASE_URL: database.url.replace(`${hostname}:${port}`, address) });
    await serving.says("waiting for the database");
    expect((await fetch(`${serving.url}/livez`)).status).toBe(200);
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(503);
    const transport = createGrpcTransport(serving.url);
    const health = createRpcClient(Health, transport);
    expect(await health.check({})).toMatchObject({ status: HealthCheckResponse_ServingStatus.NOT_SERVING });
    expect(await health.check({ service: "liveness" })).toMatchObject({
      status: HealthCheckResponse_ServingStatus.SERVING,
    });
    const client = createRpcClient(DefinitionService, transport);
    await expect(client.getPlan({ workflowId: "a" })).rejects.toMatchObject({
      kind: "unavailable",
      reason: "DEPENDENCY_UNAVAILABLE",
      metadata: { service: "example" },
    });

    gate.listen(Number(address.split(":")[1]), "127.0.0.1");
    await serving.says("example is ready");
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
    expect(await health.check({})).toMatchObject({ status: HealthCheckResponse_ServingStatus.SERVING });
    // Also when it took a free port, a service knows where it can be reached.
    expect(await client.getPlan({ workflowId: "a" })).toMatchObject({ planJson: serving.url });
    transport.close();
    serving.child.kill("SIGTERM");
    expect(await serving.exited).toBe(0);
    await new Promise((resolve) => gate.close(resolve));
  });

  it("ends in order at SIGTERM: service, then what it opened, the last first", async () => {
    const serving = start([], migrated);
    await serving.says("example is ready");
    serving.child.kill("SIGTERM");
    expect(await serving.exited).toBe(0);
    const messages = [...serving.output.text.matchAll(/"msg":"([^"]+)"/g)].map(([, text]) => text);
    expect(messages.slice(-4)).toEqual(["shutting down", "stopped", "closed last opened", "closed first opened"]);
  });

  it("ends at SIGTERM also while it waits for the database", async () => {
    const waiting = start([], { ...migrated, DATABASE_URL: "postgres://u:p@127.0.0.1:1/none" });
    await waiting.says("waiting for the database");
    waiting.child.kill("SIGTERM");
    expect(await waiting.exited).toBe(0);
    expect(waiting.output.text).not.toContain("started");
  });

  it.each([
    ["reject", "a rejection that nobody handled; the process ends"],
    ["throw", "start failed"],
  ])("ends with code 1 and one clear line when it does not go well: %s", async (behaviour, line) => {
    const failing = start([], { ...migrated, BEHAVIOUR: behaviour });
    expect(await failing.exited).toBe(1);
    expect(failing.output.text).toContain(line);
    expect(failing.output.text).toContain('"level":"fatal"');
  });

  it("ends with code 1 when it cannot end in order", async () => {
    const stubborn = start([], { ...migrated, BEHAVIOUR: "refuse-to-stop" });
    await stubborn.says("example is ready");
    stubborn.child.kill("SIGTERM");
    expect(await stubborn.exited).toBe(1);
    expect(stubborn.output.text).toContain("stop failed");
  });

  it("ends with code 2 when the database refuses it, instead of asking for ever", async () => {
    const refused = start([], { ...migrated, DATABASE_URL: `${database.url}_of_nobody` });
    expect(await refused.exited).toBe(2);
    expect(refused.output.text).toContain("the Postgres of DATABASE_URL cannot be used");
    expect(refused.output.text).toContain("does not exist");
  });
});

/** Where `server` will listen: nobody does until then. */
async function freeAddress(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}
