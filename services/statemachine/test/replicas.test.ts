import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { partitionBits } from "@heddle/journal";
import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stateMachineMigrations } from "../src/index.ts";
import { type Replica, startReplica } from "./support/replica.ts";
import { ORDER, SOON } from "./support/sources.ts";
import { value } from "./support/values.ts";

const MACHINES = 40;
const TIMER_MS = 5_000;

let testDatabase: TestDatabase;
let replica: Replica;
let child: ChildProcess;
beforeEach(async () => {
  testDatabase = await createTestDatabase({ schema: "statemachine", migrations: stateMachineMigrations });
  replica = await startReplica(testDatabase.open(), "a", [ORDER, SOON]);
  const program = fileURLToPath(new URL("support/replica-process.ts", import.meta.url));
  child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, testDatabase.url, "b"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: child.stdout! }), "line");
  await expect.poll(async () => (await owners()).filter((owner) => owner === "b").length, { timeout: 30_000 }).toBe(32);
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  await replica.stop();
  await testDatabase.drop();
});

/** By partition. */
async function owners(): Promise<string[]> {
  const { rows } = await testDatabase.database.query<{ owner: string | null }>({
    text: "select owner from journal_partitions order by partition",
  });
  return rows.map(({ owner }) => owner ?? "");
}

it("takes any call at any replica; when one is killed its machines go on at the other, and their timers fire once", async () => {
  const { client } = replica;
  const keys = Array.from({ length: MACHINES }, (_, n) => `${n}`);
  const ids: string[] = [];
  for (const key of keys) {
    const { machine } = await client.createMachine({ workflowId: "order", key });
    await client.sendEvent({ workflowId: "order", key, event: "add", data: value({ price: 2 }), requestId: "1" });
    ids.push(machine!.machineId);
  }
  const before = await owners();
  expect(new Set(ids.map((id) => before[partitionBits(id)]))).toEqual(new Set(["a", "b"]));
  const timed = await Promise.all(keys.map((key) => client.createMachine({ workflowId: "soon", key })));

  child.kill("SIGKILL");
  for (const key of keys) {
    // The event that was taken before is not taken again.
    await client.sendEvent({ workflowId: "order", key, event: "add", data: value({ price: 2 }), requestId: "1" });
    const sent = await client.sendEvent({
      workflowId: "order",
      key,
      event: "add",
      data: value({ price: 3 }),
      requestId: "2",
    });
    expect(sent.machine).toMatchObject({ context: { total: 5 } });
  }
  for (const { machine } of timed) {
    const { machineId } = machine!;
    const status = async () => (await client.getMachine({ machineId })).machine?.status;
    await expect.poll(status, { timeout: 30_000 }).toBe(MachineStatus.FINISHED);
    const { events } = await client.listMachineHistory({ machineId });
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, index) => index + 1));
    const fired = events.filter(({ event }) => event.case === "eventReceived");
    expect(fired).toHaveLength(1);
    expect(timestampMs(fired[0]!.occurredAt!) - timestampMs(events[0]!.occurredAt!)).toBeGreaterThanOrEqual(TIMER_MS);
  }
});
