import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";

/** Who runs a task, as far as the scheduler has told. */
export interface RunningTask {
  worker: string;
  startedAt: number;
}

/**
 * The tasks that committed states ask for, by partition: derived, never stored. A sync to the scheduler is read from here,
 * so that it can be sent at any moment without waiting for a flush under way.
 */
export interface OpenTasks {
  add(partition: number, task: Task): void;
  /** The task that was removed, if it was there. */
  remove(partition: number, taskId: string): Task | undefined;
  dropPartition(partition: number): void;
  of(partition: number): Iterable<Task>;
  has(partition: number, taskId: string): boolean;
  setRunning(taskId: string, running: RunningTask): void;
  runningOn(taskId: string): RunningTask | undefined;
  readonly size: number;
}

export function createOpenTasks(): OpenTasks {
  const partitions = new Map<number, Map<string, Task>>();
  const running = new Map<string, RunningTask>();
  let size = 0;

  return {
    add(partition, task) {
      let tasks = partitions.get(partition);
      if (tasks === undefined) partitions.set(partition, (tasks = new Map()));
      if (!tasks.has(task.taskId)) size += 1;
      tasks.set(task.taskId, task);
    },
    remove(partition, taskId) {
      const tasks = partitions.get(partition);
      const task = tasks?.get(taskId);
      if (tasks === undefined || task === undefined) return undefined;
      tasks.delete(taskId);
      running.delete(taskId);
      size -= 1;
      return task;
    },
    dropPartition(partition) {
      const tasks = partitions.get(partition);
      if (tasks === undefined) return;
      for (const taskId of tasks.keys()) running.delete(taskId);
      size -= tasks.size;
      partitions.delete(partition);
    },
    of: (partition) => partitions.get(partition)?.values() ?? [],
    has: (partition, taskId) => partitions.get(partition)?.has(taskId) ?? false,
    setRunning(taskId, task) {
      running.set(taskId, task);
    },
    runningOn: (taskId) => running.get(taskId),
    get size() {
      return size;
    },
  };
}
