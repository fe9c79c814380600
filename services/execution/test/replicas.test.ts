import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { partitionBits } from "@heddle/journal";
import { HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService, FinishedKeyPolicy } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { executionMigrations } from "../src/index.ts";
import { type Replica, type ReplicaOptions, startReplica } from "./support/replica.ts";
import { APPROVAL, DOUBLE, PATIENT, UPDATED } from "./support/sources.ts";

let testDatabase: TestDatabase;
let replicas: Replica[];
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  testDatabase = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
  replicas = [];
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await testDatabase.drop();
});

it("takes any call at any replica, and shares the partitions evenly", async () => {
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await until(async () => (await shares()) === "22,21,21", "the partitions are shared");
  const ids: string[] = [];
  for (let n = 0; n < 12; n++) {
    const requestId = `request-${n}`;
    const { execution } = await pick([a, b, c], n).client.startExecution({ workflowId: "patient", requestId });
    ids.push(execution!.executionId);
    // The same key at another replica finds the same execution.
    const again = await pick([a, b, c], n + 1).client.startExecution({ workflowId: "patient", requestId });
    expect(again).toMatchObject({ created: false, execution: { executionId: ids[n] } });
  }
  for (const [n, executionId] of ids.entries()) {
    const { client } = pick([a, b, c], n + 1);
    await client.suspendExecution({ executionId });
    const { execution } = await pick([a, b, c], n + 2).client.getExecution({ executionId });
    expect(execution?.status).toBe(ExecutionStatus.SUSPENDED);
    await client.resumeExecution({ executionId });
    await client.signalExecution({ executionId, name: "go", requestId: "s" });
    const { events } = await pick([a, b, c], n + 2).client.listHistory({ executionId });
    expect(events.at(-1)?.event.case).toBe("executionCompleted");
    await expect(client.cancelExecution({ executionId })).rejects.toMatchObject({ reason: "EXECUTION_FINISHED" });
  }
  await expect(a.client.getExecution({ executionId: "01900000-0000-7000-8000-000000000001" })).rejects.toMatchObject({
    reason: "EXECUTION_NOT_FOUND",
  });
});

it("takes what people answer at any replica, once, and goes on with it where the owner is killed", async () => {
  const a = await start("a");
  const { child, url } = await startProcess("killed");
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  const other = createGrpcTransport(url);
  closers.push(() => other.close());
  const client = createRpcClient(ExecutionService, other);
  let id = "";
  await until(async () => {
    // While it still recovers its partitions it passes starts on.
    id = (await client.startExecution({ workflowId: "approval" })).execution!.executionId;
    return (await ownerOf(id)) === "killed";
  }, "it starts what it is asked to start");
  const taskId = `${id}/approve`;
  // Not this replica's: passed on to the owner, which dies with the claim in its journal.
  await a.people.claimHumanTask({ taskId, user: "ann", requestId: "c" });
  child.kill("SIGKILL");
  const { task } = await a.people.getHumanTask({ taskId });
  expect(task).toMatchObject({ assignee: "ann", status: HumanTaskStatus.CLAIMED });
  await expect(a.people.completeHumanTask({ taskId, user: "bob" })).rejects.toMatchObject({
    reason: "HUMAN_TASK_HELD",
  });
  for (let time = 0; time < 2; time++) await a.people.completeHumanTask({ taskId, user: "ann", requestId: "a" });
  const { execution: ended } = await a.client.getExecution({ executionId: id });
  expect(ended?.output?.kind.value).toBe("ann");
});

it("makes one execution of a request id that races at two replicas", async () => {
  const [a, b] = [await start("a"), await start("b")];
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  for (let round = 0; round < 10; round++) {
    const request = { workflowId: "patient", requestId: `race-${round}` };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => pick([a, b], n).client.startExecution(request)),
    );
    expect(new Set(answers.map(({ execution }) => execution?.executionId)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  }
});

it("finds what was started with a business key from any replica, at once and where the owner was killed", async () => {
  const a = await start("a");
  const { child, url } = await startProcess("killed");
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  const other = createGrpcTransport(url);
  closers.push(() => other.close());
  const clients = [a.client, createRpcClient(ExecutionService, other)];
  const keys = Array.from({ length: 12 }, (_, n) => `order-${n}`);
  const ids = new Map<string, string>();
  for (const [n, workflowKey] of keys.entries()) {
    const [here, there] = [clients[n % 2]!, clients[(n + 1) % 2]!];
    const { execution } = await here.startExecution({ workflowId: "patient", workflowKey });
    ids.set(workflowKey, execution!.executionId);
    await there.signalExecution({ workflowKey, name: "early", requestId: "e" });
    await expect(there.signalExecution({ workflowKey: `${workflowKey}-not`, name: "go" })).rejects.toMatchObject({
      reason: "EXECUTION_NOT_FOUND",
      metadata: { workflow_key: `${workflowKey}-not` },
    });
  }
  const owners = await Promise.all([...ids.values()].map(ownerOf));
  expect(new Set(owners)).toEqual(new Set(["a", "killed"]));
  child.kill("SIGKILL");
  // Sent while half of the partitions have no owner: each waits for the next one, and is taken once.
  for (const workflowKey of keys) {
    const request = { workflowKey, name: "go", requestId: "g" };
    for (let time = 0; time < 2; time++) {
      const { execution } = await a.client.signalExecution(request);
      expect(execution).toMatchObject({ executionId: ids.get(workflowKey), status: ExecutionStatus.COMPLETED });
    }
  }
});

it("passes a start on when it owns nothing, and starts without a key where it was asked otherwise", async () => {
  await start("a");
  const b = await start("b");
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  await until(async () => {
    // While it still recovers its partitions it passes starts on.
    const { execution } = await b.client.startExecution({ workflowId: "double", input: { n: 4 }, wait: seconds(10) });
    expect(execution?.output?.kind.value).toMatchObject({ fields: { doubled: { kind: { value: 8 } } } });
    return (await ownerOf(execution!.executionId)) === "b";
  }, "it starts what it is asked to start");
  // As a replica that has handed over everything and still takes calls: its server closes after its service.
  await b.service.stop();
  const passedOn = await b.client.startExecution({ workflowId: "double", input: { n: 5 }, wait: seconds(10) });
  expect(passedOn.execution?.status).toBe(ExecutionStatus.COMPLETED);
  expect(await ownerOf(passedOn.execution!.executionId)).toBe("a");
});

it("goes on with a watch and a wait whose owner hands over, without a gap", async () => {
  const [a, b] = [await start("a"), await start("b")];
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  const id = await startAt(b);
  const seen: number[] = [];
  const watches = [a, b].map(async ({ client }) => {
    const seqs: number[] = [];
    for await (const { events } of client.watchExecution({ executionId: id })) {
      for (const event of events) seqs.push(Number(event.seq));
      seen.push(seqs.length);
    }
    return seqs;
  });
  const wait = b.client.startExecution({ workflowId: "patient", requestId: "waits", wait: seconds(30) });
  await until(() => seen.length >= 2, "both watches have begun");
  await b.service.stop();
  await a.client.signalExecution({ executionId: id, name: "go", requestId: "s" });
  const [atA, atB] = await Promise.all(watches);
  const { events } = await a.client.listHistory({ executionId: id });
  expect(atA).toEqual(events.map((event) => Number(event.seq)));
  expect(atB).toEqual(atA);
  const { execution: waiting } = await a.client.startExecution({ workflowId: "patient", requestId: "waits" });
  await a.client.signalExecution({ executionId: waiting!.executionId, name: "go", requestId: "s" });
  expect((await wait).execution?.status).toBe(ExecutionStatus.COMPLETED);
});

it("makes one update of a call whose partition moves while it waits, with no request id of the caller", async () => {
  const [a, b] = [await start("a"), await start("b")];
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  let executionId = "";
  await until(async () => {
    // While it still recovers its partitions it passes starts on.
    executionId = (await b.client.startExecution({ workflowId: "updated" })).execution!.executionId;
    return (await ownerOf(executionId)) === "b";
  }, "it starts what it is asked to start");
  const update = b.client.updateExecution({ executionId, name: "raise" });
  const updates = async () => {
    const { events } = await a.client.listHistory({ executionId });
    return events.filter(({ event }) => event.case === "updateAccepted").length;
  };
  await until(async () => (await updates()) === 1, "the update is accepted");
  await b.service.stop();
  await until(async () => (await ownerOf(executionId)) === "a", "the partition has moved");
  await a.client.signalExecution({ executionId, name: "go", requestId: "s" });
  expect((await update).failure).toBeUndefined();
  expect(await updates()).toBe(1);
});

it("knows of a partition that comes back what has happened to its keys elsewhere", async () => {
  const a = await start("a");
  const first = new Map<string, string>();
  for (let n = 0; n < 12; n++) {
    const request = { workflowId: "patient", workflowKey: `key-${n}`, requestId: "r" };
    first.set(request.workflowKey, (await a.client.startExecution(request)).execution!.executionId);
  }
  const b = await start("b");
  await until(async () => (await shares()) === "32,32", "the partitions are shared");
  const owners = await Promise.all([...first].map(async ([key, id]) => ({ key, id, owner: await ownerOf(id) })));
  const { key: workflowKey, id } = owners.find(({ owner }) => owner === "b")!;
  await b.client.cancelExecution({ executionId: id });
  await b.client.deleteExecution({ executionId: id });
  const second = await b.client.startExecution({ workflowId: "patient", workflowKey });
  await b.client.signalExecution({ executionId: second.execution!.executionId, name: "go" });
  await b.stop();
  await until(async () => (await shares()) === "64", "one has everything");
  await expect(
    a.client.startExecution({ workflowId: "patient", workflowKey, whenFinished: FinishedKeyPolicy.ALLOW_IF_FAILED }),
  ).rejects.toMatchObject({ reason: "WORKFLOW_KEY_USED" });
  // The first one is deleted, and its request id with it.
  const third = await a.client.startExecution({ workflowId: "patient", workflowKey, requestId: "r" });
  expect(third.created).toBe(true);
});

it("loses nothing and doubles nothing while every replica is replaced under load", async () => {
  const current = [await start("a"), await start("b")];
  let running = true;
  let refused = 0;
  const started = new Map<string, string>();
  const clients = Array.from({ length: 8 }, async (_, client) => {
    for (let n = 0; running; n++) {
      const requestId = `${client}/${n}`;
      for (;;) {
        try {
          const { execution } = await pick(current, client + n).client.startExecution(
            { workflowId: "double", requestId, input: { n } },
            { timeoutMs: 10_000 },
          );
          started.set(requestId, execution!.executionId);
          break;
        } catch {
          // What a client's own retry is for: the replica that it had chosen has closed.
          refused += 1;
          await sleep(20);
        }
      }
    }
  });
  for (const name of ["a", "b", "a"]) {
    await until(() => started.size > 0, "work goes on");
    await sleep(500);
    const index = current.findIndex((replica) => replica.owner === name);
    const [old] = current.splice(index, 1);
    await old!.stop();
    current.push(await start(name));
  }
  await sleep(500);
  running = false;
  await Promise.all(clients);
  const stored = async () => {
    const { rows } = await testDatabase.database.query<{ id: string; request_id: string; status: number }>({
      text: "select execution_id as id, request_id, status from executions",
    });
    return rows;
  };
  await until(async () => {
    const rows = await stored();
    return rows.length >= started.size && rows.every(({ status }) => status === ExecutionStatus.COMPLETED);
  }, "everything has ended, and is projected");
  const rows = await stored();
  expect(rows.length).toBe(started.size);
  expect(Object.fromEntries(rows.map((row) => [row.request_id, row.id]))).toEqual(Object.fromEntries(started));
  console.log(`${started.size} executions; ${refused} calls met a replica that was closed`);
}, 90_000);

it("serves the partitions of a replica that is killed, and of one that hangs, whose writes are void when it wakes up", async () => {
  const a = await start("a");
  for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
    const owner = signal === "SIGKILL" ? "killed" : "hanging";
    const { child, url } = await startProcess(owner);
    await until(async () => (await shares()) === "32,32", "the partitions are shared");
    const transport = createGrpcTransport(url);
    const other = createRpcClient(ExecutionService, transport);
    closers.push(() => transport.close());
    let executionId = "";
    await until(async () => {
      // While it still recovers its partitions it passes starts on.
      const { execution } = await other.startExecution({ workflowId: "patient" });
      executionId = execution!.executionId;
      return (await ownerOf(executionId)) === owner;
    }, "it starts an execution of its own");
    const watch = a.client.watchExecution({ executionId })[Symbol.asyncIterator]();
    expect((await watch.next()).done).toBe(false);
    child.kill(signal);
    const began = performance.now();
    // A read may be repeated, so it waits for the next owner.
    expect((await a.client.getExecution({ executionId })).execution?.status).toBe(ExecutionStatus.RUNNING);
    console.log(`${signal}: the next owner answered after ${Math.round(performance.now() - began)} ms`);
    // Asked before it could notice anything: its statement arrives after the takeover.
    const late =
      signal === "SIGSTOP"
        ? other.signalExecution({ executionId, name: "go" }).catch((error: unknown) => error)
        : undefined;
    await a.client.signalExecution({ executionId, name: "other", requestId: "o" });
    if (late !== undefined) {
      child.kill("SIGCONT");
      // It may still pass the call on to the owner; it never carries it out on what it remembers.
      const outcome = (await late) as { kind?: string; execution?: unknown };
      expect(outcome.execution !== undefined || outcome.kind === "unavailable").toBe(true);
    }
    await a.client.signalExecution({ executionId, name: "go", requestId: "g" }).catch(() => undefined);
    let last: string | undefined;
    for (let next = await watch.next(); next.done !== true; next = await watch.next())
      last = next.value.events.at(-1)?.event.case;
    expect(last).toBe("executionCompleted");
    const { events } = await a.client.listHistory({ executionId });
    expect(events.map((event) => Number(event.seq))).toEqual(events.map((_, index) => index + 1));
    expect(events.filter((event) => event.event.case === "executionCompleted")).toHaveLength(1);
    child.kill("SIGKILL");
    await until(async () => (await shares()) === "64", "one has everything");
  }
}, 90_000);

async function start(owner: string, options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const replica = await startReplica({
    database: testDatabase.open(),
    owner,
    sources: [APPROVAL, DOUBLE, PATIENT, UPDATED],
    answer: (_, input) => ({ output: { n: (input as { n: number }).n * 2 } }),
    ...options,
  });
  replicas.push(replica);
  return replica;
}

async function startProcess(owner: string): Promise<{ child: ChildProcess; url: string }> {
  const program = fileURLToPath(new URL("support/replica-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, testDatabase.url, owner], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  closers.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, url };
}

/** How many partitions each has, by name, as the record says. */
async function shares(): Promise<string> {
  const { rows } = await testDatabase.database.query<{ count: number }>({
    text: "select count(*)::int as count from journal_partitions where owner is not null group by owner order by owner",
  });
  return rows.map(({ count }) => count).join();
}

async function ownerOf(id: string): Promise<string | undefined> {
  const { rows } = await testDatabase.database.query<{ owner: string }>({
    text: "select owner from journal_partitions where partition = $1",
    values: [partitionBits(id)],
  });
  return rows[0]?.owner;
}

async function startAt(replica: Replica): Promise<string> {
  const { execution } = await replica.client.startExecution({ workflowId: "patient" });
  return execution!.executionId;
}

function pick<T>(items: readonly T[], index: number): T {
  return items[index % items.length] as T;
}

function seconds(count: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(count), nanos: 0 };
}

async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}
