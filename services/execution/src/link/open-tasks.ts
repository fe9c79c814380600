import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { shardOf } from "@heddle/shards";

/** Who runs a task, as far as the scheduler has told. */
export interface RunningTask {
  worker: string;
  startedAt: number;
}

/**
 * The tasks that committed states ask for, by partition and by the shard of their namespaces: derived, never stored. A sync
 * to the scheduler is read from here, so that it can be sent at any moment without waiting for a flush under way.
 */
export interface OpenTasks {
  add(partition: number, task: Task): void;
  /** The task that was removed, if it was there. */
  remove(partition: number, taskId: string): Task | undefined;
  dropPartition(partition: number): void;
  has(partition: number, taskId: string): boolean;
  /** Those of a partition that belong to a shard of namespaces; costs nothing for all others. */
  of(partition: number, shard: number): Iterable<Task>;
  /** Nothing when it is not open: word of it may come after it was canceled or has timed out. */
  setRunning(partition: number, taskId: string, running: RunningTask): void;
  runningOn(taskId: string): RunningTask | undefined;
  readonly size: number;
}

/** By shard; most partitions have tasks of one. */
type PartitionTasks = Map<number, Map<string, Task>>;

export function createOpenTasks(): OpenTasks {
  const partitions = new Map<number, PartitionTasks>();
  const running = new Map<string, RunningTask>();
  let size = 0;

  /** The shard is not in the id of a task, but there are few of them. */
  const find = (partition: number, taskId: string): Map<string, Task> | undefined => {
    const shards = partitions.get(partition);
    if (shards === undefined) return undefined;
    for (const tasks of shards.values()) if (tasks.has(taskId)) return tasks;
    return undefined;
  };

  return {
    add(partition, task) {
      let shards = partitions.get(partition);
      if (shards === undefined) partitions.set(partition, (shards = new Map()));
      const shard = shardOf(task.namespace);
      let tasks = shards.get(shard);
      if (tasks === undefined) shards.set(shard, (tasks = new Map()));
      if (!tasks.has(task.taskId)) size += 1;
      tasks.set(task.taskId, task);
    },
    remove(partition, taskId) {
      const tasks = find(partition, taskId);
      const task = tasks?.get(taskId);
      if (tasks === undefined || task === undefined) return undefined;
      tasks.delete(taskId);
      running.delete(taskId);
      size -= 1;
      return task;
    },
    dropPartition(partition) {
      const shards = partitions.get(partition);
      if (shards === undefined) return;
      for (const tasks of shards.values()) {
        for (const taskId of tasks.keys()) running.delete(taskId);
        size -= tasks.size;
      }
      partitions.delete(partition);
    },
    has: (partition, taskId) => find(partition, taskId) !== undefined,
    of: (partition, shard) => partitions.get(partition)?.get(shard)?.values() ?? [],
    setRunning(partition, taskId, task) {
      if (find(partition, taskId) !== undefined) running.set(taskId, task);
    },
    runningOn: (taskId) => running.get(taskId),
    get size() {
      return size;
    },
  };
}
