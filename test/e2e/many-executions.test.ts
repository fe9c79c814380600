import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@heddle/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ORDER = `workflow:
  id: order
  type: dag
  nodes:
    - { id: note, type: action, subtype: set_attributes, params: { total: "\${input.total}" } }
    - { id: pay, type: action, subtype: wait, params: { signal: paid }, dependencies: [note] }
`;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

describe("keys, attributes and batches at the command line", () => {
  let dev: TestDevProcess;
  let folder: string;
  let eventLog: string;

  const heddle = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const all = [join(ROOT, "libs/cli/bin/heddle.js"), ...args, "--address", dev.url];
      execFile(process.execPath, all, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const json = async (...args: string[]) => JSON.parse((await heddle(...args, "--json")).stdout) as never;
  const open = async (dataDir?: string): Promise<void> => {
    dev = await startDev({ dataDir, env: { HEDDLE_EVENT_LOG: eventLog, HEDDLE_LOG_LEVEL: "error" } });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-many-"));
    eventLog = join(folder, "events.ndjson");
    await writeFile(join(folder, "order.yaml"), ORDER);
    await open();
    await heddle("publish", join(folder, "order.yaml"));
  });
  afterAll(async () => {
    await disposeDev(dev);
    await rm(folder, { recursive: true, force: true });
  });

  it("starts once for a key, and finds by key and attribute", async () => {
    const start = ["run", "order", "--key", "order-1", "--input", '{"total": 120}', "--attribute", "customer=acme"];
    const first = await heddle(...start);
    expect(first.code).toBe(0);
    const second = await heddle(...start);
    expect(second).toMatchObject({ code: 6 });
    expect(second.stderr).toContain("runs");
    expect((await heddle(...start, "--when-running", "use")).stdout).toBe(first.stdout);
    const list = () => heddle("list", "--where", "customer=acme", "--where", "total>=100", "--key", "order-1");
    await expect.poll(async () => (await list()).stdout, { timeout: 20_000 }).toContain(first.stdout.trim());
    expect((await heddle("list", "--where", "total>120")).stdout).toBe("");
    const shown = (await heddle("get", first.stdout.trim())).stdout;
    expect(shown).toContain("key order-1");
    expect(shown).toContain('attributes customer="acme" total=120');
  });

  it("does it to many, also when the process is killed on the way, and leaves nothing behind that is not explained", async () => {
    const client = createClient({ address: dev.url });
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        client.start({ workflowId: "order", input: { total: n }, searchAttributes: { customer: "bolt" } }),
      ),
    );
    const filter = {
      attributes: [
        { name: "customer", equals: "bolt" },
        { name: "total", atLeast: 10, below: 20 },
      ],
    };
    await expect
      .poll(async () => await client.batches.dryRun({ filter, operation: { kind: "cancel" } }), { timeout: 20_000 })
      .toMatchObject({ status: "dry_run", matched: 10 });
    const found: number[] = [];
    for await (const { searchAttributes } of client.list(filter)) found.push(searchAttributes["total"] as number);
    expect(found.toSorted((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    const request = { workflowId: "order", workflowKey: "order-1", input: { total: 1 } };
    expect(await client.start({ ...request, whenRunning: "use_existing" })).toMatchObject({ workflowKey: "order-1" });
    await expect(client.start(request)).rejects.toMatchObject({ reason: "WORKFLOW_KEY_RUNNING" });
    const small = await client.batches.create({ filter, operation: { kind: "suspend" }, canary: 3 });
    await expect
      .poll(async () => await client.batches.get(small.batchId), { timeout: 20_000 })
      .toMatchObject({ status: "paused", succeeded: 3 });
    await client.batches.cancel(small.batchId, "that was enough");
    const resumed = await client.batches.create({ filter, operation: { kind: "resume" } });
    await expect
      .poll(async () => await client.batches.get(resumed.batchId), { timeout: 20_000 })
      .toMatchObject({ status: "completed", succeeded: 3, failed: 0 });
    const batches: string[] = [];
    for await (const { batchId } of client.batches.list()) batches.push(batchId);
    expect(batches).toEqual([resumed.batchId, small.batchId]);
    client.close();
    const dry = ["batch", "create", "signal", "--signal", "paid", "--where", "customer=bolt", "--dry-run"];
    await expect
      .poll(async () => (await heddle(...dry)).stdout, { timeout: 20_000 })
      .toContain("about 40 executions: 40 running");
    const created = await heddle(
      "batch",
      "create",
      "signal",
      "--signal",
      "paid",
      "--where",
      "customer=bolt",
      "--rate",
      "10",
    );
    const batchId = created.stdout.trim();
    await expect
      .poll(async () => Number((await json("batch", "get", batchId))["succeeded"]), { timeout: 20_000 })
      .toBeGreaterThan(0);
    dev.child.kill("SIGKILL");
    await open(dev.dataDir);
    await expect
      .poll(async () => await json("batch", "get", batchId), { timeout: 60_000, interval: 500 })
      .toMatchObject({ status: "BATCH_STATUS_COMPLETED", succeeded: "40" });

    const purge = await heddle("batch", "create", "delete", "--where", "customer=bolt", "--rate", "1000", "--wait");
    expect(purge).toMatchObject({ code: 0 });
    expect(purge.stdout).toContain("40 done, 0 failed");
    await expect
      .poll(async () => (await heddle("list", "--where", "customer=bolt")).stdout, { timeout: 20_000 })
      .toBe("");
    const doctor = await json("doctor", "--patience", "1s", "--event-log", eventLog);
    expect(doctor).toMatchObject({ clean: true, unchecked: [] });
  });
});
