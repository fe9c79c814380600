import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { createClient, type Client, type Execution, isFinished } from "@heddle/sdk";
import { createPersistence } from "../workload/persist.ts";
import { decodeEvents, EXECUTION_EVENTS, readTopic } from "./topic.ts";
import type { PublishedEvent, QueueAtEnd, RunRecord, WorkerAtEnd } from "./run-record.ts";

/** What is asked of the suite itself when a run is over. */
export type Collected = Pick<RunRecord, "listed" | "executions" | "histories" | "queues" | "workers"> & {
  published: PublishedEvent[] /** Records of the topic that are no events. */;
  foreign: number;
};

const POLL_MS = 250;
const ANSWER_BOUND_MS = 30_000;
const CONCURRENCY = 16;

export interface QuietOptions {
  /** How long everything may take from now on. */
  boundMs: number;
  /**
   * Executions that a caller suspended. A request to suspend that was repeated may arrive after the resume that followed, as
   * any message may that a process held back: such an execution is resumed once more here, and counted.
   */
  suspended: ReadonlySet<string>;
}

/** Waits until every execution has ended, or the bound is over. Resolves with what it had to resume again. */
export async function waitUntilQuiet(address: string, { boundMs, suspended }: QuietOptions): Promise<string[]> {
  const client = createClient({ address });
  const resumed = new Set<string>();
  const deadline = performance.now() + boundMs;
  try {
    while (performance.now() < deadline) {
      const open = await listOpen(client).catch(() => undefined);
      if (open?.length === 0) break;
      for (const { executionId, status } of open ?? []) {
        if (status !== "suspended" || !suspended.has(executionId)) continue;
        resumed.add(executionId);
        await client.resume(executionId, "chaos is over").catch(() => undefined);
      }
      await sleep(POLL_MS);
    }
  } finally {
    client.close();
  }
  return [...resumed];
}

async function listOpen(client: Client): Promise<Execution[]> {
  const open: Execution[] = [];
  for (const status of ["running", "suspended"] as const) {
    for await (const execution of client.list({ status })) open.push(execution);
  }
  return open;
}

export interface CollectOptions {
  address: string;
  brokers: readonly string[];
  /** Ids of executions that callers were told of: a list that lacks one has not caught up yet. */
  acknowledged: readonly string[];
  /** How long what trails behind may take. */
  boundMs: number;
}

/** Reads everything that the public interface says about the run, and what was published. */
export async function collect({ address, brokers, acknowledged, boundMs }: CollectOptions): Promise<Collected> {
  const transport = createGrpcTransport(address);
  const client = createClient({ address });
  const rpc = createRpcClient(ExecutionService, transport);
  const persistence = createPersistence(ANSWER_BOUND_MS);
  const insist = async <T>(make: () => Promise<T>): Promise<T> => (await persistence.call(make)) as T;

  async function readHistory(executionId: string): Promise<ExecutionEvent[]> {
    const events: ExecutionEvent[] = [];
    let pageToken = "";
    do {
      const page = await insist(() => rpc.listHistory({ executionId, pageSize: 1_000, pageToken }));
      events.push(...page.events);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return events;
  }

  try {
    const listed = await settle(
      boundMs,
      () => listAll(client),
      (found) => isAllProjected(found, acknowledged),
    );
    const executions = new Map<string, Execution>();
    const histories = new Map<string, ExecutionEvent[]>();
    const left = listed.map(({ executionId }) => executionId);
    const work = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        const executionId = id;
        executions.set(executionId, await insist(() => client.get(executionId)));
        histories.set(executionId, await readHistory(executionId));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));

    const events = [...histories.values()].reduce((sum, history) => sum + history.length, 0);
    const { events: published, foreign } = await settle(
      boundMs,
      async () => decodeEvents(await readTopic(brokers, EXECUTION_EVENTS)),
      (read) => new Set(read.events.map(({ id }) => id)).size >= events,
    );
    const [queues, workers] = await settle(boundMs, () => readScheduler(client, insist), isIdle);
    return { listed, executions, histories, published, foreign, queues, workers };
  } finally {
    client.close();
    transport.close();
  }
}

/** What trails behind (lists, the topic, the scheduler) is asked again until it is there, or was given its time. */
async function settle<T>(boundMs: number, read: () => Promise<T>, isSettled: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const value = await read();
    if (isSettled(value) || performance.now() > deadline) return value;
    await sleep(POLL_MS);
  }
}

async function listAll(client: Client): Promise<Execution[]> {
  const listed: Execution[] = [];
  for await (const execution of client.list({}, { timeoutMs: ANSWER_BOUND_MS })) listed.push(execution);
  return listed;
}

function isAllProjected(listed: readonly Execution[], acknowledged: readonly string[]): boolean {
  const ids = new Set(listed.map(({ executionId }) => executionId));
  return listed.every(isFinished) && acknowledged.every((id) => ids.has(id));
}

async function readScheduler(
  client: Client,
  insist: <T>(make: () => Promise<T>) => Promise<T>,
): Promise<[QueueAtEnd[], WorkerAtEnd[]]> {
  const queues = await insist(() => client.describeQueue());
  const workers: WorkerAtEnd[] = [];
  for await (const worker of client.listWorkers()) workers.push(worker);
  return [queues, workers];
}

function isIdle([queues, workers]: readonly [readonly QueueAtEnd[], readonly WorkerAtEnd[]]): boolean {
  return (
    queues.every(({ waiting, running }) => waiting + running === 0) && workers.every(({ running }) => running === 0)
  );
}
