import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import {
  type Lease,
  type LiveExecution,
  type ParkedMessages,
  partitionOfId,
  type Progress,
  type ScheduledTask,
  type SeqRange,
  type StoredExecution,
  type StoredMachine,
  type WorkerLoad,
} from "@heddle/doctor";
import type { CliClient } from "../client.ts";
import { doctorCallMs, doctorIdsPerCall, doctorPageSize, doctorTasksPerCall } from "../limits.ts";
import { toLive, toStored, toStoredMachine, toTask, toWorker } from "./facts-from-proto.ts";

/** What the owner of a partition has in memory. */
export interface PartitionView {
  observedAt: number;
  epoch: number;
  headOffset: number;
  live: LiveExecution[];
  unprojected: Map<string, SeqRange[]>;
}

export interface ShardView {
  epoch: number;
  workers: WorkerLoad[];
  tasks: ScheduledTask[];
}

export interface PartitionState {
  lease: Lease;
  projectedOffset: number;
  publishedOffsets: Map<string, number>;
}

/** Asks the services, one call after the other: a check must not be a load. Rejects with what the services answer. */
export interface SuiteReader {
  describePartitions(): Promise<PartitionState[]>;
  describeShards(): Promise<Lease[]>;
  describeParked(): Promise<ParkedMessages[]>;
  /** `ids` undefined: all that are in memory. */
  inspectPartition(partition: number, ids: readonly string[] | undefined, replay: boolean): Promise<PartitionView>;
  /** `taskIds` undefined: all. */
  inspectShard(shard: number, taskIds: readonly string[] | undefined): Promise<ShardView>;
  /** All executions as stored, page by page; between two pages it waits so that `perSecond` is not exceeded. */
  scan(options: { replay: boolean; perSecond: number }): AsyncIterable<StoredExecution[]>;
  findStored(ids: readonly string[], options: { replay: boolean }): Promise<StoredExecution[]>;
  describeMachinePartitions(): Promise<Lease[]>;
  /** As `scan`, of state machines. */
  scanMachines(options: { replay: boolean; perSecond: number }): AsyncIterable<StoredMachine[]>;
  findMachines(ids: readonly string[], options: { replay: boolean }): Promise<StoredMachine[]>;
}

/** An id that no execution has: with it only the partition itself is told. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

export function createSuiteReader(client: CliClient, signal: AbortSignal): SuiteReader {
  const { executionDiagnostics: executions, schedulerDiagnostics: scheduler, machineDiagnostics: machines } = client;
  const options = { signal, timeoutMs: doctorCallMs };

  const inspectPart = async (partition: number, ids: readonly string[], replay: boolean): Promise<PartitionView> => {
    const view: PartitionView = { observedAt: 0, epoch: 0, headOffset: 0, live: [], unprojected: new Map() };
    for await (const message of executions.inspectPartition(
      { partition, executionIds: [...ids], replay },
      { signal },
    )) {
      const header = message.partition;
      if (header !== undefined) {
        view.observedAt = header.observedAt === undefined ? 0 : timestampMs(header.observedAt);
        view.epoch = Number(header.epoch);
        view.headOffset = Number(header.headOffset);
        // Said again by a new owner.
        view.live = [];
        view.unprojected = new Map();
        for (const { executionId, events } of header.unprojected) {
          const range = { first: Number(events?.first ?? 0n), last: Number(events?.last ?? 0n) };
          view.unprojected.set(executionId, [...(view.unprojected.get(executionId) ?? []), range]);
        }
      }
      for (const execution of message.executions) view.live.push(toLive(execution));
    }
    return view;
  };

  const inspectShardPart = async (shard: number, taskIds: readonly string[]): Promise<ShardView> => {
    const view: ShardView = { epoch: 0, workers: [], tasks: [] };
    for await (const { epoch, workers, tasks } of scheduler.inspectShard(
      { shard, taskIds: [...taskIds] },
      { signal },
    )) {
      if (epoch !== 0n) Object.assign(view, { epoch: Number(epoch), workers: [], tasks: [] });
      view.workers.push(...workers.map(toWorker));
      view.tasks.push(...tasks.map((task) => toTask(task, shard)));
    }
    return view;
  };

  return {
    async describePartitions() {
      const { partitions } = await executions.describePartitions({}, options);
      return partitions.map(({ partition, owner, live, epoch, projectedOffset, publishedOffsets }) => ({
        lease: { kind: "partition", number: partition, owner, live, epoch: Number(epoch) },
        projectedOffset: Number(projectedOffset),
        publishedOffsets: new Map(Object.entries(publishedOffsets).map(([name, offset]) => [name, Number(offset)])),
      }));
    },
    async describeShards() {
      const { shards } = await scheduler.describeShards({}, options);
      return shards.map(({ shard, owner, live, epoch }) => ({
        kind: "shard",
        number: shard,
        owner,
        live,
        epoch: Number(epoch),
      }));
    },
    async describeParked() {
      const all = [
        ["execution", (await executions.describeParkedEvents({}, options)).parked],
        ["scheduler", (await scheduler.describeParkedEvents({}, options)).parked],
        ["statemachine", (await machines.describeParkedEvents({}, options)).parked],
      ] as const;
      return all.flatMap(([service, parked]) =>
        parked.map(({ group, topic, count, lastError }) => {
          const [firstLine = ""] = lastError.split("\n", 1);
          return { service, group, topic, count: Number(count), lastError: firstLine };
        }),
      );
    },
    async inspectPartition(partition, ids, replay) {
      if (ids === undefined) return await inspectPart(partition, [], replay);
      const [first = [NO_ID], ...rest] = chunk(ids, doctorIdsPerCall);
      const view = await inspectPart(partition, first, replay);
      for (const part of rest) {
        const more = await inspectPart(partition, part, replay);
        view.live.push(...more.live);
        for (const [id, ranges] of more.unprojected) view.unprojected.set(id, ranges);
      }
      return view;
    },
    async inspectShard(shard, taskIds) {
      if (taskIds === undefined) return await inspectShardPart(shard, []);
      // A task that no scheduler has: with it only the workers are told.
      const [first = [NO_ID], ...rest] = chunk(taskIds, doctorTasksPerCall);
      const view = await inspectShardPart(shard, first);
      for (const part of rest) view.tasks.push(...(await inspectShardPart(shard, part)).tasks);
      return view;
    },
    scan: ({ replay, perSecond }) =>
      scanPaced(perSecond, signal, async (pageToken) => {
        const page = await executions.scanExecutions({ replay, pageSize: doctorPageSize, pageToken }, options);
        return { items: page.executions.map(toStored), next: page.nextPageToken };
      }),
    async findStored(ids, { replay }) {
      const found: StoredExecution[] = [];
      for (const executionIds of chunk(ids, doctorIdsPerCall)) {
        const page = await executions.scanExecutions({ executionIds, replay }, options);
        found.push(...page.executions.map(toStored));
      }
      return found;
    },
    async describeMachinePartitions() {
      const { partitions } = await machines.describePartitions({}, options);
      return partitions.map(({ partition, owner, live, epoch }) => ({
        kind: "machine partition",
        number: partition,
        owner,
        live,
        epoch: Number(epoch),
      }));
    },
    scanMachines: ({ replay, perSecond }) =>
      scanPaced(perSecond, signal, async (pageToken) => {
        const page = await machines.scanMachines({ replay, pageSize: doctorPageSize, pageToken }, options);
        return { items: page.machines.map(toStoredMachine), next: page.nextPageToken };
      }),
    async findMachines(ids, { replay }) {
      const found: StoredMachine[] = [];
      for (const machineIds of chunk(ids, doctorIdsPerCall)) {
        const page = await machines.scanMachines({ machineIds, replay }, options);
        found.push(...page.machines.map(toStoredMachine));
      }
      return found;
    },
  };
}

/** All pages, one after the other, with pauses so that no more than `perSecond` items are read. */
async function* scanPaced<T>(
  perSecond: number,
  signal: AbortSignal,
  readPage: (pageToken: string) => Promise<{ items: T[]; next: string }>,
): AsyncIterable<T[]> {
  const startedAt = performance.now();
  let seen = 0;
  let pageToken = "";
  do {
    const { items, next } = await readPage(pageToken);
    pageToken = next;
    seen += items.length;
    yield items;
    await pause((seen / perSecond) * 1000 - (performance.now() - startedAt), signal);
  } while (pageToken !== "");
}

/** Resolves after the time, at once when there is none left; rejects when the person interrupts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    if (ms <= 0) return resolve();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The ids by the partition that their executions live in. */
export function groupByPartition(ids: Iterable<string>): Map<number, string[]> {
  return Map.groupBy(ids, partitionOfId);
}

export function progressOf(partitions: readonly PartitionState[], heads: ReadonlyMap<number, number>): Progress[] {
  return partitions.flatMap(({ lease, projectedOffset, publishedOffsets }) => {
    const committedOffset = heads.get(lease.number);
    return committedOffset === undefined
      ? []
      : [{ partition: lease.number, committedOffset, projectedOffset, publishedOffsets }];
  });
}

/** What cannot be looked at now, in the words of whoever refused; other errors are no part of a check. */
export function refusalOf(error: unknown): string {
  if (error instanceof DomainError) return error.message;
  throw error;
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < items.length; from += size) chunks.push(items.slice(from, from + size));
  return chunks;
}
