import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceProcess, planCluster, type ServiceProcess } from "@heddle/up";
import { type Client, createClient } from "@heddle/sdk";
import {
  createTestAuthority,
  createTestDatabase,
  findCertificateRemedy,
  type TestAuthority,
  type TestDatabase,
  testKafka,
} from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../interop/program.ts";

// The suite as processes that take calls only by TLS, and only from each other and from clients with a certificate.
const kafka = testKafka();
const missing = findCertificateRemedy() ?? kafka.skipReason;
const ROTATION_MS = 200;

const WORKFLOW = `workflow:
  id: secured
  type: dag
  nodes:
    - { id: double, type: tool, tool: transform, inputs: { value: "\${input.n * 2}" } }
    - { id: approved, type: action, subtype: wait, dependencies: [double], params: { signal: approve } }
    - { id: sum, type: tool, tool: transform, dependencies: [approved], inputs: { value: "\${double.output + 1}" } }
  output: "\${sum.output}"
`;

let folder: string;
let database: TestDatabase;
let authority: TestAuthority;
let processes: ServiceProcess[] = [];
let address = "";

/** The files that a Secret is mounted as; what is in them changes by `put`. */
const filesOf = (name: string) => ({
  certFile: join(folder, "mounted", name, "tls.crt"),
  keyFile: join(folder, "mounted", name, "tls.key"),
  caFile: join(folder, "mounted", name, "ca.crt"),
});

function put(name: string, from: TestAuthority, hosts: readonly string[]): void {
  const files = filesOf(name);
  mkdirSync(join(folder, "mounted", name), { recursive: true });
  const { certFile, keyFile } = from.issue(name, hosts);
  copyFileSync(from.caFile, files.caFile);
  copyFileSync(keyFile, files.keyFile);
  copyFileSync(certFile, files.certFile);
}

/** As a cluster has it: a replica's address is in no certificate, the name of its service is. */
function rotate(to: TestAuthority): void {
  put("services", to, ["localhost", "heddle-execution", "heddle-scheduler", "heddle-statemachine"]);
  put("client", to, []);
}

async function start(): Promise<void> {
  const specs = await planCluster({
    databaseUrl: database.url,
    kafkaBrokers: await kafka.brokers(),
    logDir: join(folder, "logs"),
    replicas: { execution: 2 },
  });
  const { certFile, keyFile, caFile } = filesOf("services");
  const portOf = (service: string): number => specs.find((spec) => spec.service === service)?.port ?? 0;
  const to = (service: string) => `https://localhost:${portOf(service)}`;
  processes = specs.map((spec) =>
    createServiceProcess({
      ...spec,
      env: {
        ...spec.env,
        HEDDLE_TLS_CERT_FILE: certFile,
        HEDDLE_TLS_KEY_FILE: keyFile,
        HEDDLE_TLS_CA_FILE: caFile,
        HEDDLE_TLS_CLIENT_CA_FILE: caFile,
        HEDDLE_TLS_CHECK_INTERVAL: `${ROTATION_MS}ms`,
        HEDDLE_TLS_REPLICA_NAME: `heddle-${spec.service}`,
        HEDDLE_DEFINITION_ADDRESS: to("definition"),
        HEDDLE_EXECUTION_ADDRESS: to("execution"),
        HEDDLE_SCHEDULER_ADDRESS: to("scheduler"),
        HEDDLE_STATEMACHINE_ADDRESS: to("statemachine"),
        ...(spec.service === "worker" && { HEDDLE_ADDRESS: to("scheduler") }),
      },
    }),
  );
  address = to("gateway");
  for (const member of processes) member.spawn();
  await Promise.all(processes.map((member) => member.waitUntilReady()));
}

/** Runs a workflow through all of its services; what it waits for is sent when `between` has ended. */
async function runWorkflow(client: Client, between?: () => Promise<void>): Promise<unknown> {
  const { executionId } = await client.start({ workflowId: "secured", input: { n: 20 } });
  await between?.();
  await client.signal(executionId, "approve", "yes", { timeoutMs: 30_000 });
  return client.result(executionId, { timeoutMs: 60_000 });
}

function connect(name = "client"): Client {
  return createClient({ address, tls: filesOf(name) });
}

beforeEach((context) => missing !== undefined && context.skip(missing));
beforeAll(async () => {
  if (missing !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), "heddle-tls-"));
  authority = createTestAuthority(mkdtempSync(join(folder, "authority-")), "ours");
  rotate(authority);
  database = await createTestDatabase({ schema: "unused", migrations: [] });
  await start();
});
afterAll(async () => {
  if (missing !== undefined) return;
  await Promise.all(processes.map((member) => member.stop()));
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a suite with certificates on both sides", () => {
  it("runs workflows, whichever replica has them", async () => {
    const client = connect();
    await client.publish({ source: WORKFLOW });
    const results = await Promise.all(Array.from({ length: 12 }, () => runWorkflow(client)));
    client.close();
    expect(results).toEqual(Array.from({ length: 12 }, () => 41));
  });

  it("refuses who has no certificate, in words, and who speaks no TLS", async () => {
    const heddle = (...args: string[]) =>
      runProgram(process.execPath, ["libs/cli/bin/heddle.js", "list", "--address", ...args]);
    const { certFile, keyFile, caFile } = filesOf("client");
    const known = await heddle(address, "--tls-ca", caFile, "--tls-cert", certFile, "--tls-key", keyFile);
    expect(known.stderr).toBe("");
    expect(known.code).toBe(0);
    const unknown = await heddle(address, "--tls-ca", caFile);
    expect(unknown.stderr).toContain("only of clients with a certificate of the right authority");
    expect(unknown.code).toBe(6);
    const distrustful = await heddle(address);
    expect(distrustful.stderr).toContain("authority that is not trusted here");
    expect(distrustful.code).toBe(4);
    const plain = await heddle(address.replace("https:", "http:"));
    expect(plain.stderr).toContain("this server takes calls by TLS only");
    expect(plain.code).toBe(6);
  });

  it("goes on when certificates and authority change under it", async () => {
    const client = connect();
    const next = createTestAuthority(mkdtempSync(join(folder, "authority-")), "next");
    const result = await runWorkflow(client, async () => {
      rotate(next);
      for (const member of processes) {
        await expect.poll(() => member.readLog(), { timeout: 20_000 }).toContain("certificates have changed");
      }
      // A process that starts now meets others that are connected with the old ones.
      await processes.find(({ name }) => name === "execution-2")?.restart();
    });
    expect(result).toBe(41);
    client.close();
    const later = connect();
    expect(await runWorkflow(later)).toBe(41);
    later.close();
  });
});
