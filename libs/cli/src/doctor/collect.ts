import {
  createSample,
  type Lease,
  type LiveExecution,
  type ScheduledTask,
  type SeqRange,
  type StoredExecution,
  type StoredMachine,
  type SuiteFacts,
  type WorkerLoad,
} from "@heddle/doctor";
import { groupByPartition, progressOf, refusalOf, type SuiteReader } from "./suite-reader.ts";

export interface CollectOptions {
  /** Histories to replay; undefined replays all. */
  sample?: number;
  seed: number;
  /** Executions read each second, at most. */
  perSecond: number;
  /** Says how far it is. */
  onProgress(what: string): void;
}

/** The facts, and what could not be looked at. */
export interface Collected {
  facts: SuiteFacts;
  unchecked: string[];
  /** Offset that each partition was committed to after the executions were read: everything in the facts is at or below. */
  heads: Map<number, number>;
}

interface Draft {
  now: number;
  live: Map<string, LiveExecution>;
  stored: Map<string, StoredExecution>;
  machines: Map<string, StoredMachine>;
  unprojected: Map<string, SeqRange[]>;
  inspected: Set<number>;
  tasks: Map<string, ScheduledTask[]>;
  workers: WorkerLoad[];
  leases: Lease[];
  unchecked: string[];
}

/**
 * Looks at everything once. Machines first, so that what they have started is not younger than they are; then the memory
 * of the owners, then what is stored, then the scheduler: what is stored is then never older than what is in memory.
 */
export async function collect(reader: SuiteReader, options: CollectOptions): Promise<Collected> {
  const draft = createDraft();
  const replayAll = options.sample === undefined;
  await scanMachines(draft, reader, options);
  for (const { lease } of await reader.describePartitions()) {
    await inspectPartition(draft, reader, lease, undefined, replayAll);
    options.onProgress(`looked into the memory of partition ${lease.number}`);
  }
  const sample = createSample<string>(options.sample ?? 0, options.seed);
  for await (const page of reader.scan({ replay: replayAll, perSecond: options.perSecond })) {
    for (const execution of page) {
      draft.stored.set(execution.executionId, execution);
      sample.add(execution.executionId);
    }
    options.onProgress(`read ${draft.stored.size} executions`);
  }
  if (!replayAll) await replaySample(draft, reader, sample.items(), options);
  const shards = await inspectShards(draft, reader, undefined);
  const heads = new Map<number, number>();
  for (const number of draft.inspected) {
    const head = await headOf(reader, number);
    if (head !== undefined) heads.set(number, head);
  }
  const progress = progressOf(await reader.describePartitions(), heads);
  const facts = finish(draft, progress, shards, await reader.describeParked());
  return { facts, unchecked: draft.unchecked, heads };
}

/** Looks again at some executions and tasks, and at whatever belongs to no execution. */
export async function collectAgain(
  reader: SuiteReader,
  wanted: { executionIds: readonly string[]; machineIds: readonly string[]; taskIds: readonly string[] },
  heads: ReadonlyMap<number, number>,
): Promise<SuiteFacts> {
  const draft = createDraft();
  draft.leases.push(...(await reader.describeMachinePartitions()));
  for (const machine of await reader.findMachines(wanted.machineIds, { replay: true })) {
    draft.machines.set(machine.machineId, machine);
  }
  const ids = groupByPartition(wanted.executionIds);
  const partitions = await reader.describePartitions();
  for (const { lease } of partitions) {
    await inspectPartition(draft, reader, lease, ids.get(lease.number) ?? [], true);
  }
  for (const execution of await reader.findStored(wanted.executionIds, { replay: true })) {
    draft.stored.set(execution.executionId, execution);
  }
  const taskIds = new Set(wanted.taskIds);
  for (const { waits } of draft.live.values()) {
    for (const { taskId } of waits) if (taskId !== undefined) taskIds.add(taskId);
  }
  const shards = await inspectShards(draft, reader, [...taskIds]);
  const progress = progressOf(await reader.describePartitions(), heads);
  return finish(draft, progress, shards, await reader.describeParked());
}

function createDraft(): Draft {
  return {
    now: 0,
    live: new Map(),
    stored: new Map(),
    machines: new Map(),
    unprojected: new Map(),
    inspected: new Set(),
    tasks: new Map(),
    workers: [],
    leases: [],
    unchecked: [],
  };
}

function finish(
  draft: Draft,
  progress: SuiteFacts["progress"],
  tasksComplete: boolean,
  parked: SuiteFacts["parked"],
): SuiteFacts {
  const { now, inspected, stored, live, machines, unprojected, tasks, workers, leases } = draft;
  return {
    now,
    inspectedPartitions: inspected,
    tasksComplete,
    stored,
    live,
    machines,
    unprojected,
    tasks,
    workers,
    leases,
    progress,
    parked,
  };
}

async function scanMachines(draft: Draft, reader: SuiteReader, options: CollectOptions): Promise<void> {
  const { sample, seed, perSecond, onProgress } = options;
  const replay = sample === undefined;
  const sampled = createSample<string>(sample ?? 0, seed);
  draft.leases.push(...(await reader.describeMachinePartitions()));
  for await (const page of reader.scanMachines({ replay, perSecond })) {
    for (const machine of page) {
      draft.machines.set(machine.machineId, machine);
      sampled.add(machine.machineId);
    }
    onProgress(`read ${draft.machines.size} state machines`);
  }
  if (replay) return;
  for (const machine of await reader.findMachines(sampled.items(), { replay: true })) {
    draft.machines.set(machine.machineId, machine);
  }
}

async function inspectPartition(
  draft: Draft,
  reader: SuiteReader,
  lease: Lease,
  ids: readonly string[] | undefined,
  replay: boolean,
): Promise<void> {
  try {
    const view = await reader.inspectPartition(lease.number, ids, replay);
    draft.now = Math.max(draft.now, view.observedAt);
    draft.inspected.add(lease.number);
    draft.leases.push({ ...lease, answeredEpoch: view.epoch });
    for (const execution of view.live) draft.live.set(execution.executionId, execution);
    for (const [id, ranges] of view.unprojected) draft.unprojected.set(id, ranges);
  } catch (error) {
    draft.unchecked.push(`the memory of partition ${lease.number}: ${refusalOf(error)}`);
    draft.leases.push(lease);
  }
}

/** Gives whether all shards answered. */
async function inspectShards(
  draft: Draft,
  reader: SuiteReader,
  taskIds: readonly string[] | undefined,
): Promise<boolean> {
  let complete = true;
  for (const lease of await reader.describeShards()) {
    try {
      const view = await reader.inspectShard(lease.number, taskIds);
      draft.leases.push({ ...lease, answeredEpoch: view.epoch });
      draft.workers.push(...view.workers);
      for (const task of view.tasks) draft.tasks.set(task.taskId, [...(draft.tasks.get(task.taskId) ?? []), task]);
    } catch (error) {
      draft.unchecked.push(`the tasks of shard ${lease.number}: ${refusalOf(error)}`);
      draft.leases.push(lease);
      complete = false;
    }
  }
  return complete;
}

async function replaySample(
  draft: Draft,
  reader: SuiteReader,
  ids: readonly string[],
  { onProgress }: CollectOptions,
): Promise<void> {
  const live = ids.filter((id) => draft.live.has(id));
  for (const [partition, some] of groupByPartition(live)) {
    if (!draft.inspected.has(partition)) continue;
    const view = await reader.inspectPartition(partition, some, true);
    for (const execution of view.live) draft.live.set(execution.executionId, execution);
  }
  for (const execution of await reader.findStored(ids, { replay: true })) {
    draft.stored.set(execution.executionId, execution);
  }
  onProgress(`replayed a sample of ${ids.length}`);
}

/** Undefined when the partition has moved since: its new owner is looked at the next time. */
async function headOf(reader: SuiteReader, partition: number): Promise<number | undefined> {
  try {
    return (await reader.inspectPartition(partition, [], false)).headOffset;
  } catch (error) {
    refusalOf(error);
    return undefined;
  }
}
