import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { isPassing } from "@heddle/errors";
import { partitionBits } from "@heddle/journal";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { RpcServer } from "@heddle/rpc";
import { createTestDatabase, privateTestKafka, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { executionMigrations } from "../src/index.ts";
import { startDependencies } from "./support/service-dependencies.ts";
import { createServiceProcess, PATIENCE, type ServiceProcess } from "./support/service-process.ts";

/** Each turn takes one of the events of its key: what is lost is missing in the output, what is taken twice is there twice. */
const LISTENER = `
workflow:
  id: listener
  type: dag
  nodes:
    - id: each
      type: control
      subtype: loop
      for_each: [0, 1, 2, 3, 4, 5]
      result: "\${moved.output.payload}"
      nodes:
        - { id: moved, type: action, subtype: wait, params: { event: moved, key: "\${input.key}" } }
  output: "\${each.output}"
`;

const EMITTER = `
workflow:
  id: emitter
  type: dag
  nodes:
    - { id: tell, type: action, subtype: emit, params: { event: moved, key: "\${input.key}", payload: "\${input.step}" } }
`;

const LISTENERS = 12;

const kafka = privateTestKafka();

/*
 * Two replicas as processes, with Kafka between them. The processes are killed at the two places at which an event is committed and not
 * told: before it is published, and when whoever heard it has stored it and not yet told those that wait.
 */
describe("waits for events with two replicas", () => {
  let folder: string;
  let broker: Awaited<ReturnType<typeof kafka.start>>;
  let testDatabase: TestDatabase;
  let dependencies: RpcServer;
  let a: ServiceProcess;
  let b: ServiceProcess;
  /** By key. */
  const listeners = new Map<string, { id: string; owner: string }>();

  beforeEach((context) => kafka.skipReason !== undefined && context.skip(kafka.skipReason));
  beforeAll(async () => {
    if (kafka.skipReason !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), "heddle-event-waits-"));
    testDatabase = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
    broker = await kafka.start();
    const { server, url } = await startDependencies([LISTENER, EMITTER]);
    dependencies = server;
    const createReplica = (owner: string): Promise<ServiceProcess> => {
      const log = join(folder, `${owner}.log`);
      const common = { databaseUrl: testDatabase.url, brokers: broker.address, dependencies: url };
      // More than can wait for the lock below, so that nothing else has to wait with them.
      const env = { HEDDLE_DATABASE_CONNECTIONS: "40" };
      return createServiceProcess({ owner, log, env, ...common });
    };
    // Known before they start, so that none is left when another does not.
    [a, b] = [await createReplica("a"), await createReplica("b")];
    await Promise.all([a.start(), b.start()]);
  });
  afterAll(async () => {
    if (kafka.skipReason !== undefined) return;
    await Promise.all([a?.close(), b?.close()]);
    await dependencies?.close({ drainMs: 0 });
    await broker?.purge();
    await testDatabase?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it("tells the waits of each what executions of the other emit, and what is published at the other", async () => {
    await shared();
    for (let n = 0; n < LISTENERS; n++) {
      const key = `key-${n}`;
      const at = n % 2 === 0 ? a : b;
      listeners.set(key, await start(at, "listener", { key }));
    }
    expect(new Set([...listeners.values()].map(({ owner }) => owner)).size).toBe(2);
    for (const { key, other } of waits()) {
      await start(other, "emitter", { key, step: 0 });
      await insist(() => publish(other, key, 1));
    }
    await expect.poll(taken, PATIENCE).toEqual(everybodyTook(2));
  });

  it("tells what was committed by a process that is killed before it is published", async () => {
    // Stopped, so that nothing can be published: not a moment to be hit but a state.
    broker.pause();
    const owners = new Set<string>();
    for (const { key } of waits()) owners.add((await start(a, "emitter", { key, step: 2 })).owner);
    expect(owners).toContain("a");
    await a.kill();
    broker.resume();
    await expect.poll(taken, PATIENCE).toEqual(everybodyTook(3));
    await a.start();
    await shared();
  });

  it("tells what a process has heard and stored that is killed before it tells it, emitted or published", async () => {
    const database = testDatabase.open();
    const published: Promise<unknown>[] = [];
    // Whoever has stored an event looks up who waits for it, and now waits for this lock.
    await database.transaction(async (transaction) => {
      await transaction.query({ text: "lock table event_waits in access exclusive mode" });
      for (const { key } of waits()) {
        await start(a, "emitter", { key, step: 3 });
        published.push(publish(b, key, 4).catch((error: unknown) => error));
      }
      // Of what was emitted at least one: in each partition of the topic the others wait behind the first.
      const stored = async (): Promise<boolean> => {
        const { rows } = await testDatabase.database.query<{ payload: string; count: number }>({
          text: "select payload, count(*)::int as count from recent_events where payload in ('3', '4') group by payload",
        });
        const counts = new Map(rows.map(({ payload, count }) => [payload, count]));
        return counts.has("3") && counts.get("4") === LISTENERS;
      };
      await expect.poll(stored, PATIENCE).toBe(true);
      await b.kill();
    });
    for (const answer of published) expect(await answer).toBeInstanceOf(Error);
    // Their caller got no answer, and asks again.
    for (const { key } of waits()) await insist(() => publish(a, key, 4));
    await expect.poll(taken, PATIENCE).toEqual(everybodyTook(5));
  });

  it("has told each wait once, when all is over", async () => {
    for (const { key } of waits()) await insist(() => publish(a, key, 5));
    await expect.poll(taken, PATIENCE).toEqual(everybodyTook(6));
    for (const { id } of waits()) {
      const { execution } = await insist(() => a.client.getExecution({ executionId: id }));
      expect(execution?.status).toBe(ExecutionStatus.COMPLETED);
      const output = toJson(ValueSchema, execution!.output!) as number[];
      expect(output.toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5]);
    }
    const { rows: parked } = await testDatabase.database.query({ text: "select * from event_poison" });
    expect(parked).toEqual([]);
    // Whoever waits no more is forgotten, at the latest with the next event of its key.
    for (const { key } of waits()) await insist(() => publish(a, key, 6));
    const { rows: waiting } = await testDatabase.database.query({ text: "select * from event_waits" });
    expect(waiting).toEqual([]);
  });

  /** Every listener, with the replica that does not run it. */
  function waits(): { key: string; id: string; other: ServiceProcess }[] {
    return [...listeners].map(([key, { id, owner }]) => ({ key, id, other: owner === a.owner ? b : a }));
  }

  /** Steps that each listener has taken, as its history says: in the order of their numbers. */
  async function taken(): Promise<Record<string, number[]>> {
    const all = await Promise.all(
      waits().map(async ({ key, id }) => {
        const page = { executionId: id, pageSize: 500 };
        const { events } = await insist(() => a.client.listHistory(page).catch(() => b.client.listHistory(page)));
        const steps = events.flatMap(({ event }) => {
          if (event.case !== "eventReceived") return [];
          return [Number(event.value.event?.payload?.form.value)];
        });
        return [key, steps.toSorted((x, y) => x - y)] as const;
      }),
    );
    return Object.fromEntries(all);
  }

  function everybodyTook(count: number): Record<string, number[]> {
    const steps = Array.from({ length: count }, (_, step) => step);
    return Object.fromEntries(waits().map(({ key }) => [key, steps]));
  }

  /** Starts it once, whoever is asked for it: where it runs is up to its key. */
  async function start(
    at: ServiceProcess,
    workflowId: string,
    input: JsonObject,
  ): Promise<{ id: string; owner: string }> {
    const request = { workflowId, input, requestId: `${workflowId} ${JSON.stringify(input)}` };
    const { execution } = await insist(() => at.client.startExecution(request));
    const { executionId: id } = execution!;
    const { rows } = await testDatabase.database.query<{ owner: string }>({
      text: "select owner from journal_partitions where partition = $1",
      values: [partitionBits(id)],
    });
    return { id, owner: rows[0]?.owner ?? "" };
  }

  function publish(at: ServiceProcess, key: string, step: number): Promise<unknown> {
    const payload = fromJson(ValueSchema, step);
    return at.client.publishEvent({ name: "moved", key, payload, requestId: `${key}/${step}` });
  }

  /** On a busy machine a replica may lose its partitions for a moment; a caller repeats what has a request id. */
  async function insist<T>(call: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE.timeout;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isPassing(error) || performance.now() > deadline) throw error;
        await sleep(PATIENCE.interval);
      }
    }
  }

  async function shared(): Promise<void> {
    const shares = async (): Promise<string> => {
      const { rows } = await testDatabase.database.query<{ count: number }>({
        text: "select count(*)::int as count from journal_partitions where owner is not null group by owner",
      });
      return rows.map(({ count }) => count).join();
    };
    await expect.poll(shares, PATIENCE).toBe("32,32");
  }
});
