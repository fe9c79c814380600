import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  LinkService,
  type OpenLinkRequestSchema,
  type OpenLinkResponse,
} from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { BidiStream, RpcTransport } from "@heddle/rpc";
import type { Logger } from "@heddle/telemetry";
import { maxTasksPerFrame, retryPauseMs } from "../domain/limits.ts";
import type { OpenTasks } from "./open-tasks.ts";
import { createResultFrames, type ResultFrames } from "./result-frames.ts";

export interface SchedulerLinkOptions {
  transport: RpcTransport;
  /** New at every start of the process. */
  ownerId: string;
  openTasks: OpenTasks;
  ownedPartitions(): number[];
  /** Call `done` once for each result, when it is recorded or refused. */
  onResults(results: readonly TaskResult[], done: () => void): void;
  logger: Logger;
}

/** The stream to the scheduler. It comes back by itself, and then says everything again. */
export interface SchedulerLink {
  start(): void;
  stop(): void;
  /** Tasks that a commit has made; they are in `openTasks` already. Unsent while disconnected: the sync will hold them. */
  schedule(tasks: readonly Task[]): void;
  cancel(taskIds: readonly string[]): void;
  /** A partition was recovered: its open tasks replace what the scheduler knows of it. */
  sync(partitions: readonly number[]): void;
  readonly connected: boolean;
}

type Frame = NonNullable<MessageInitShape<typeof OpenLinkRequestSchema>["frame"]>;
type Stream = BidiStream<MessageInitShape<typeof OpenLinkRequestSchema>>;

export function createSchedulerLink(options: SchedulerLinkOptions): SchedulerLink {
  const { transport, ownerId, openTasks, logger } = options;
  let stream: Stream | undefined;
  /** True once this stream has said hello and everything that is open. */
  let connected = false;
  let stopped = true;
  let pauseMs: number = retryPauseMs.first;
  let timer: NodeJS.Timeout | undefined;

  const send = (frame: Frame): void => {
    stream?.send({ frame });
  };

  const sync = (partitions: readonly number[]): void => {
    let tasks: Task[] = [];
    for (const partition of partitions) {
      for (const task of openTasks.of(partition)) {
        tasks.push(task);
        if (tasks.length < maxTasksPerFrame) continue;
        send({ case: "sync", value: { partitions: [...partitions], tasks, last: false } });
        tasks = [];
      }
    }
    send({ case: "sync", value: { partitions: [...partitions], tasks, last: true } });
  };

  const receive = (message: OpenLinkResponse, frames: ResultFrames): void => {
    const { frame } = message;
    if (frame.case === "results") {
      const { results } = frame.value;
      options.onResults(results, frames.open(frame.value.frame, results.length));
    } else if (frame.case === "progress") {
      for (const task of frame.value.tasks) {
        openTasks.setRunning(task.taskId, { worker: task.worker, startedAt: Number(task.startedAtMs) });
      }
    } else if (frame.case === "welcome") {
      pauseMs = retryPauseMs.first;
      logger.debug({ schedulerEpoch: String(frame.value.schedulerEpoch) }, "linked to the scheduler");
    }
  };

  const connect = (): void => {
    timer = undefined;
    // Frames count per stream: an acknowledgement that comes late must not be said on the next one.
    const opened: { stream?: Stream } = {};
    const frames = createResultFrames((upToFrame) => {
      if (opened.stream === stream) send({ case: "acknowledge", value: { upToFrame } });
    });
    stream = transport.openStream(LinkService.method.openLink, {
      onMessage: (message) => receive(message, frames),
      onEnd: (error) => {
        if (opened.stream !== stream) return;
        stream = undefined;
        connected = false;
        if (stopped) return;
        logger.info({ err: error, pauseMs }, "the link to the scheduler ended; connecting again");
        timer = setTimeout(connect, pauseMs);
        pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest);
      },
    });
    opened.stream = stream;
    send({ case: "hello", value: { ownerId } });
    sync(options.ownedPartitions());
    connected = true;
  };

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      connect();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      const last = stream;
      stream = undefined;
      connected = false;
      last?.cancel();
    },
    schedule(tasks) {
      if (!connected) return;
      for (let from = 0; from < tasks.length; from += maxTasksPerFrame) {
        send({ case: "schedule", value: { tasks: tasks.slice(from, from + maxTasksPerFrame) } });
      }
    },
    cancel(taskIds) {
      if (!connected) return;
      for (let from = 0; from < taskIds.length; from += maxTasksPerFrame) {
        send({ case: "cancel", value: { taskIds: taskIds.slice(from, from + maxTasksPerFrame) } });
      }
    },
    sync(partitions) {
      if (connected && partitions.length > 0) sync(partitions);
    },
    get connected() {
      return connected;
    },
  };
}
