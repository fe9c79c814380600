import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { shardOf } from "@heddle/shards";

/**
 * Gives the tasks of each shard, in their order, to `take`. What a commit makes is mostly of one namespace: then the
 * array is passed on as it is.
 */
export function byShard(tasks: readonly Task[], take: (shard: number, tasks: readonly Task[]) => void): void {
  const [first] = tasks;
  if (first === undefined) return;
  const shard = shardOf(first.namespace);
  if (tasks.every((task) => shardOf(task.namespace) === shard)) return take(shard, tasks);
  const parts = new Map<number, Task[]>();
  for (const task of tasks) {
    const of = shardOf(task.namespace);
    const part = parts.get(of);
    if (part === undefined) parts.set(of, [task]);
    else part.push(task);
  }
  for (const [of, part] of parts) take(of, part);
}
