import { create } from "@bufbuild/protobuf";
import {
  type InspectedTask,
  InspectedTaskSchema,
  InspectedTaskState,
  type InspectedWorker,
  InspectedWorkerSchema,
  type InspectShardRequest,
  type InspectShardResponse,
  InspectShardResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import type { TaskEntry, TaskState, Worker } from "../domain/model.ts";
import { findTask, type SchedulerState } from "../domain/state.ts";

const STATES: Readonly<Record<TaskState, InspectedTaskState>> = {
  recovering: InspectedTaskState.RECOVERING,
  waiting: InspectedTaskState.WAITING,
  running: InspectedTaskState.RUNNING,
  finished: InspectedTaskState.FINISHED,
};

/** What the shard holds, some at a time: between two messages the process does other work, so each is as of its own moment. */
export async function* inspectShard(
  { state }: Pick<SchedulerContext, "state">,
  epoch: bigint,
  { taskIds }: InspectShardRequest,
): AsyncIterable<InspectShardResponse> {
  const { frameMaxItems } = state.limits;
  yield create(InspectShardResponseSchema, { epoch });
  for (const workers of grouped(listWorkers(state), frameMaxItems)) {
    yield create(InspectShardResponseSchema, { workers });
  }
  for (const tasks of grouped(listTasks(state, taskIds), frameMaxItems)) {
    yield create(InspectShardResponseSchema, { tasks });
  }
}

function* listWorkers({ namespaces }: SchedulerState): Iterable<InspectedWorker> {
  for (const { workers } of namespaces.values()) for (const worker of workers.values()) yield describeWorker(worker);
}

function describeWorker({ namespace, id, slots, leases, pool, running }: Worker): InspectedWorker {
  return create(InspectedWorkerSchema, {
    namespace: namespace.name,
    workerId: id,
    slots,
    leases: leases.size,
    capabilities: (pool?.capabilities ?? []).flatMap(({ name, maxConcurrent }, index) =>
      maxConcurrent === 0 ? [] : [{ name, maxConcurrent, running: running[index] ?? 0 }],
    ),
  });
}

function* listTasks(state: SchedulerState, taskIds: readonly string[]): Iterable<InspectedTask> {
  if (taskIds.length > 0) {
    for (const taskId of taskIds) {
      const entry = findTask(state, taskId);
      if (entry !== undefined) yield describeTask(entry);
    }
    return;
  }
  for (const { tasks } of state.partitions) for (const entry of tasks.values()) yield describeTask(entry);
}

function describeTask({ id, task, state, lease, lastToken }: TaskEntry): InspectedTask {
  return create(InspectedTaskSchema, {
    taskId: id,
    namespace: task?.namespace ?? "",
    state: STATES[state],
    workerId: lease?.worker.id ?? "",
    fencingToken: lastToken,
  });
}

function* grouped<T>(items: Iterable<T>, size: number): Iterable<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
