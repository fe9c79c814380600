import { setTimeout as sleep } from "node:timers/promises";
import { createGrpcTransport, createRpcClient, type RpcTransport } from "@heddle/rpc";
import { createWorker, type Worker } from "@heddle/sdk";
import { shardOf } from "@heddle/shards";
import { createTestDatabase, findFreePort, type TestDatabase } from "@heddle/testing";
import { SchedulerService, WaitReasonKind } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { schedulerMigrations } from "../src/index.ts";
import { connectWorker, logger, task, type TaskInit } from "./harness.ts";
import { createExecutionOwner, type ExecutionOwner, type Replica, startReplica } from "./replicas.ts";

/** One namespace for each shard: whichever replica ends, some of its own are among them. */
const NAMESPACES = namespacesOfAllShards();

let test: TestDatabase;
const cleanups: (() => Promise<void> | void)[] = [];
beforeEach(async () => {
  test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await test.drop();
});

function namespacesOfAllShards(): string[] {
  const found = new Map<number, string>();
  for (let index = 0; found.size < 8; index++) {
    const name = `team-${index}`;
    if (!found.has(shardOf(name))) found.set(shardOf(name), name);
  }
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, name]) => name);
}

async function replica(owner: string, port: number): Promise<Replica> {
  const started = await startReplica(owner, port, test.url);
  cleanups.push(() => started.kill());
  return started;
}

/** Two replicas, once each owns half of the shards. */
async function twoReplicas(): Promise<{ a: Replica; b: Replica; ports: [number, number] }> {
  const ports: [number, number] = [await findFreePort(), await findFreePort()];
  const a = await replica("a", ports[0]);
  const b = await replica("b", ports[1]);
  await untilOwners({ a: 4, b: 4 });
  return { a, b, ports };
}

async function readOwners(): Promise<Map<number, string>> {
  const { rows } = await test.database.query<{ shard: number; owner: string }>({
    text: "select shard, owner from scheduler_shards join scheduler_owners using (owner)",
  });
  return new Map(rows.map(({ shard, owner }) => [shard, owner]));
}

async function untilOwners(expected: Record<string, number>): Promise<void> {
  for (;;) {
    const owners = [...(await readOwners()).values()];
    const counts = Object.entries(expected).every(([owner, count]) => {
      return owners.filter((each) => each === owner).length === count;
    });
    if (counts) return;
    await sleep(20);
  }
}

function transportTo(...replicas: Replica[]): RpcTransport {
  const transport = createGrpcTransport(replicas.map(({ address }) => address).join(","), {
    // What makes a client leave a replica that hangs.
    limits: { keepaliveIntervalMs: 1_000, keepaliveTimeoutMs: 500 },
  });
  cleanups.push(() => transport.close());
  return transport;
}

/** Deliveries as handlers saw them. */
interface Seen {
  begun: Map<string, number>;
  latestAt: Map<string, number>;
}

async function startWorkers(transportFor: (namespace: string) => RpcTransport, seen: Seen): Promise<Worker[]> {
  const workers = NAMESPACES.map((namespace) =>
    createWorker({
      transport: transportFor(namespace),
      namespace,
      slots: 20,
      logger,
      handlers: {
        async echo(input, { taskId }) {
          seen.begun.set(taskId, (seen.begun.get(taskId) ?? 0) + 1);
          seen.latestAt.set(namespace, performance.now());
          await sleep(5);
          return input;
        },
      },
    }),
  );
  cleanups.push(async () => {
    await Promise.all(workers.map((worker) => worker.stop({ drainMs: 0 })));
  });
  await Promise.all(workers.map((worker) => worker.start()));
  return workers;
}

function newSeen(): Seen {
  return { begun: new Map(), latestAt: new Map() };
}

function executions(...replicas: Replica[]): ExecutionOwner {
  const owner = createExecutionOwner(replicas.map(({ address }) => address));
  cleanups.push(() => owner.close());
  return owner;
}

let numbers = 0;
function newTasks(perNamespace: number): TaskInit[] {
  return NAMESPACES.flatMap((namespace) =>
    Array.from({ length: perNamespace }, () => task((numbers += 1), { namespace })),
  );
}

/** Tasks that are open at once: more than workers run, and few enough for a busy machine to work off. */
const MOST_OPEN = 400;

/**
 * Schedules tasks of every namespace until told to stop. Each new link says everything that is open: without a bound a machine
 * that cannot keep up would fall behind further with every takeover.
 */
function load(owner: ExecutionOwner): { scheduled: TaskInit[]; stop(): void } {
  const scheduled: TaskInit[] = [];
  const timer = setInterval(() => {
    if (owner.open.size >= MOST_OPEN) return;
    const tasks = newTasks(4);
    scheduled.push(...tasks);
    owner.schedule(tasks);
  }, 20);
  cleanups.push(() => clearInterval(timer));
  return { scheduled, stop: () => clearInterval(timer) };
}

function checkAll(owner: ExecutionOwner, scheduled: readonly TaskInit[]): void {
  expect(owner.open.size).toBe(0);
  expect(owner.accepted.size).toBe(scheduled.length);
  for (const { taskId, input } of scheduled) {
    const result = owner.accepted.get(taskId);
    expect(result?.failure).toBeUndefined();
    expect(result?.output?.form).toMatchObject({ case: "json", value: input?.form?.value });
  }
}

/** Resolves when each of the shards has delivered something since `since`, with the longest time that one took. */
async function untilDelivering(shards: readonly number[], seen: Seen, since: number): Promise<number> {
  const first = new Map<number, number>();
  while (first.size < shards.length) {
    for (const shard of shards) {
      const at = seen.latestAt.get(NAMESPACES[shard] as string) ?? 0;
      if (at > since && !first.has(shard)) first.set(shard, at - since);
    }
    await sleep(5);
  }
  return Math.max(...first.values());
}

const shardsOf = (owners: Map<number, string>, owner: string): number[] =>
  [...owners].filter(([, each]) => each === owner).map(([shard]) => shard);

it("serves workers and calls at the wrong replica as at the right one", async () => {
  const { a, b } = await twoReplicas();
  const seen = newSeen();
  const owner = executions(a, b);
  const owners = await readOwners();
  const wrong = (namespace: string) => transportTo(owners.get(shardOf(namespace)) === "a" ? b : a);
  await startWorkers(wrong, seen);
  const tasks = newTasks(500);
  owner.schedule(tasks);
  await owner.untilDone();
  checkAll(owner, tasks);
  expect([...seen.begun.values()].every((count) => count === 1)).toBe(true);

  for (const namespace of NAMESPACES) {
    const client = createRpcClient(SchedulerService, wrong(namespace));
    expect((await client.listWorkers({ namespace })).workers).toMatchObject([{ namespace, completed: 500n }]);
    const waiting = task((numbers += 1), { namespace, name: "unknown" });
    owner.schedule([waiting]);
    const { queues } = await client.describeQueue({ namespace, name: "unknown" });
    expect(queues.length).toBeLessThanOrEqual(1);
    const explained = await poll(() => client.explainWait({ taskId: waiting.taskId }));
    expect(explained.reasons).toMatchObject([{ kind: WaitReasonKind.NO_WORKER }]);
  }
  const client = createRpcClient(SchedulerService, transportTo(a));
  await expect(client.explainWait({ taskId: task(999_999).taskId })).rejects.toMatchObject({
    reason: "TASK_NOT_FOUND",
  });
});

/** Streams and calls are not ordered among each other. */
async function poll<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if ((error as { reason?: string }).reason !== "TASK_NOT_FOUND") throw error;
      await sleep(10);
    }
  }
}

it.each([
  ["is killed", "SIGKILL"],
  ["hangs", "SIGSTOP"],
] as const)("loses nothing when a replica %s under load", async (_what, signal) => {
  const { a, b } = await twoReplicas();
  const seen = newSeen();
  const owner = executions(a, b);
  // Half of the workers talk to either, whoever owns their namespaces; all know both addresses.
  const transports = [transportTo(a, b), transportTo(b, a)];
  await startWorkers((namespace) => transports[shardOf(namespace) % 2] as RpcTransport, seen);
  const { scheduled, stop } = load(owner);
  await untilDelivering([0, 1, 2, 3, 4, 5, 6, 7], seen, performance.now());
  const lost = shardsOf(await readOwners(), "a");
  const before = lost.map((shard) => owner.epochOf(shard));
  const at = performance.now();
  a.child.kill(signal);
  await untilOwners({ b: 8 });
  const movedMs = performance.now() - at;
  // Those that the dead one had delivered last are out of the way by then.
  const firstMs = await untilDelivering(lost, seen, at + 300);
  console.log(
    `${signal}: shards moved after ${movedMs.toFixed(0)} ms, each delivered again after ${(firstMs + 300).toFixed(0)} ms`,
  );
  await sleep(500);
  if (signal === "SIGSTOP") a.child.kill("SIGCONT");
  await sleep(1_000);
  stop();
  await owner.untilDone();
  checkAll(owner, scheduled);
  for (const [index, shard] of lost.entries()) expect(owner.epochOf(shard)).toBeGreaterThan(before[index] ?? 0n);
});

it("loses nothing in a rolling restart under load", async () => {
  const started = await twoReplicas();
  const { ports } = started;
  let { a, b } = started;
  const seen = newSeen();
  const owner = executions(a, b);
  const transports = [transportTo(a, b), transportTo(b, a)];
  await startWorkers((namespace) => transports[shardOf(namespace) % 2] as RpcTransport, seen);
  const { scheduled, stop } = load(owner);
  await sleep(300);
  for (let round = 0; round < 2; round++) {
    await a.stop();
    await sleep(200);
    a = await replica("a", ports[0]);
    await untilOwners({ a: 4, b: 4 });
    await b.stop();
    b = await replica("b", ports[1]);
    await untilOwners({ a: 4, b: 4 });
  }
  stop();
  await owner.untilDone();
  checkAll(owner, scheduled);
});

it("refuses what a zombie's worker brings after the next owner has delivered the task again", async () => {
  const { a, b } = await twoReplicas();
  const owner = executions(b, a);
  const namespace = NAMESPACES[shardsOf(await readOwners(), "a")[0] ?? 0] as string;
  const [toA, toB] = [transportTo(a), transportTo(b)];
  const late = connectWorker(toA, { id: "late", namespace });
  const one = task((numbers += 1), { namespace });
  owner.schedule([one]);
  const [held] = await late.untilTasks(1);
  a.child.kill("SIGSTOP");
  await untilOwners({ b: 8 });
  const next = connectWorker(toB, { id: "next", namespace });
  const [again] = await next.untilTasks(1);
  expect(again?.taskId).toBe(held?.taskId);
  expect(again?.fencingToken).toBeGreaterThan(held?.fencingToken ?? 0n);
  a.child.kill("SIGCONT");
  late.finish([held as NonNullable<typeof held>]);
  await late.ended;
  // It comes back to the new owner, with its result repeated: only the later delivery counts.
  const back = connectWorker(toB, { id: "late", namespace, held: [held as NonNullable<typeof held>] });
  expect(await back.dropped()).toEqual([held?.taskId]);
  back.finish([held as NonNullable<typeof held>]);
  await back.first(({ frame }) => (frame.case === "refusals" ? frame.value.refusals[0]?.taskId : undefined));
  next.finish([again as NonNullable<typeof again>]);
  await owner.untilDone();
  expect(owner.accepted.get(one.taskId)).toMatchObject({ worker: "next", fencingToken: again?.fencingToken });
  expect(owner.repeated).toBe(0);
});
