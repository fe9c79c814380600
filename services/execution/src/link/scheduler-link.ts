import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Dial, RpcTransport } from "@heddle/rpc";
import { SHARDS } from "@heddle/shards";
import type { Logger } from "@heddle/telemetry";
import { byShard } from "./by-shard.ts";
import type { OpenTasks } from "./open-tasks.ts";
import { createReplicas } from "./replicas.ts";
import type { ResultDone } from "./result-frames.ts";
import { createShardLink } from "./shard-link.ts";

export interface SchedulerLinkOptions {
  /** To any replica of the scheduler. */
  transport: RpcTransport;
  /** Reaches the replica that owns a shard. Without it every replica is reached by `transport`. */
  dial?: Dial;
  /** New at every start of the process. */
  ownerId: string;
  openTasks: OpenTasks;
  ownedPartitions(): number[];
  epochOf(partition: number): number | undefined;
  partitionOf(taskId: string): number | undefined;
  /** Call `done` once for each result, when it is recorded or refused for good, or to give it back. */
  onResults(results: readonly TaskResult[], done: ResultDone): void;
  logger: Logger;
}

/** The scheduler, over one stream for each shard of namespaces to the replica that owns it. */
export interface SchedulerLink {
  start(): void;
  stop(): void;
  /** Tasks that a commit has made; they are in `openTasks` already. Unsent while disconnected: the sync will hold them. */
  schedule(tasks: readonly Task[]): void;
  /** Tasks that nobody wants any longer; they are out of `openTasks` already. */
  cancel(tasks: readonly Task[]): void;
  /** Partitions were recovered: their open tasks replace what the scheduler knows of them. */
  sync(partitions: readonly number[]): void;
}

export function createSchedulerLink({ transport, dial, ...options }: SchedulerLinkOptions): SchedulerLink {
  const replicas = createReplicas(transport, dial);
  const links = Array.from({ length: SHARDS }, (_, shard) => createShardLink({ ...options, shard, replicas }));
  return {
    start() {
      for (const link of links) link.start();
    },
    stop() {
      for (const link of links) link.stop();
    },
    schedule: (tasks) => byShard(tasks, (shard, part) => links[shard]?.schedule(part)),
    cancel: (tasks) => byShard(tasks, (shard, part) => links[shard]?.cancel(part)),
    sync(partitions) {
      for (const link of links) link.sync(partitions);
    },
  };
}
