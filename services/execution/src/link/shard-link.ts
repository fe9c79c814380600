import type { MessageInitShape } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  LinkService,
  type LinkWelcome,
  type OpenLinkRequestSchema,
  type OpenLinkResponse,
} from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { BidiStream } from "@heddle/rpc";
import type { Logger } from "@heddle/telemetry";
import { firstFrameTimeoutMs, linkRetryPauseMs, maxTasksPerFrame } from "../domain/limits.ts";
import type { OpenTasks } from "./open-tasks.ts";
import type { Replicas } from "./replicas.ts";
import { createResultFrames, type ResultDone, type ResultFrames } from "./result-frames.ts";
import { createSilenceWatch } from "./silence.ts";

export interface ShardLinkOptions {
  shard: number;
  replicas: Replicas;
  /** New at every start of the process. */
  ownerId: string;
  openTasks: OpenTasks;
  /** Those that are recovered: their open tasks are all known. */
  ownedPartitions(): number[];
  /** Of a partition that this process owns: tells its word from that of an owner before or after it. */
  epochOf(partition: number): number | undefined;
  /** Undefined for what is no task of an execution. */
  partitionOf(taskId: string): number | undefined;
  /** Call `done` once for each result, when it is recorded or refused for good, or to give it back. */
  onResults(results: readonly TaskResult[], done: ResultDone): void;
  logger: Logger;
}

/** The stream to the owner of one shard. It comes back by itself, wherever the owner is by then, and says everything again. */
export interface ShardLink {
  start(): void;
  stop(): void;
  schedule(tasks: readonly Task[]): void;
  cancel(tasks: readonly Task[]): void;
  sync(partitions: readonly number[]): void;
  /** From the welcome to the end of a stream. */
  readonly connected: boolean;
}

type Frame = NonNullable<MessageInitShape<typeof OpenLinkRequestSchema>["frame"]>;
type Stream = BidiStream<MessageInitShape<typeof OpenLinkRequestSchema>>;

export function createShardLink(options: ShardLinkOptions): ShardLink {
  const { shard, replicas, ownerId, openTasks, logger } = options;
  let stream: Stream | undefined;
  /** True once this stream was welcomed and has said everything that is open. */
  let connected = false;
  let stopped = true;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  /** Where the present stream leads; empty for the service's own address. */
  let address: string | undefined;
  /** The highest that a welcome has named: one with a lower epoch comes from a replica that has lost the shard. */
  let epoch = 0n;

  const send = (frame: Frame): void => {
    stream?.send({ frame });
  };

  const sync = (named: readonly number[]): void => {
    const partitions: number[] = [];
    const epochs: bigint[] = [];
    for (const partition of named) {
      const epoch = options.epochOf(partition);
      // Lost since it was named: its next owner speaks for it.
      if (epoch === undefined) continue;
      partitions.push(partition);
      epochs.push(BigInt(epoch));
    }
    let tasks: Task[] = [];
    for (const partition of partitions) {
      for (const task of openTasks.of(partition, shard)) {
        tasks.push(task);
        if (tasks.length < maxTasksPerFrame) continue;
        send({ case: "sync", value: { partitions, epochs, tasks, last: false } });
        tasks = [];
      }
    }
    send({ case: "sync", value: { partitions, epochs, tasks, last: true } });
  };

  /**
   * The scheduler keeps what is given back for the next sync. Of a partition that has come back to this process before the
   * refusal did, that sync is past: whatever is wanted of it is asked for again.
   */
  const syncReturned = (taskIds: readonly string[]): void => {
    if (taskIds.length === 0 || !connected) return;
    const owned = new Set(options.ownedPartitions());
    const returned = new Set(taskIds.flatMap((taskId) => options.partitionOf(taskId) ?? []));
    const back = [...owned.intersection(returned)];
    if (back.length > 0) sync(back);
  };

  /** Says at once that the stream is over, whatever the peer does: one that hangs would never say it. */
  const giveUp = (error: Error): void => {
    const last = stream;
    ended(error);
    last?.cancel();
  };
  const giveUpSilent = (): void => {
    giveUp(new Error(`${address || "the scheduler"} has been silent for too long`));
  };
  const silence = createSilenceWatch(giveUpSilent);

  const receive = ({ frame }: OpenLinkResponse, frames: ResultFrames): void => {
    switch (frame.case) {
      case "results": {
        const { results } = frame.value;
        options.onResults(results, frames.open(frame.value.frame, results.length));
        return;
      }
      case "progress":
        for (const { taskId, worker, startedAtMs } of frame.value.tasks) {
          const partition = options.partitionOf(taskId);
          if (partition === undefined) continue;
          openTasks.setRunning(partition, taskId, { worker, startedAt: Number(startedAtMs) });
        }
        return;
      case "welcome":
        return welcome(frame.value);
      default:
        // A pulse, or what a newer scheduler says: that it came is all that matters.
        break;
    }
  };

  const welcome = ({ schedulerEpoch, pulseIntervalMs }: LinkWelcome): void => {
    if (schedulerEpoch < epoch) {
      return giveUp(new Error(`this replica has lost the shard: its epoch is ${schedulerEpoch}, ${epoch} was seen`));
    }
    epoch = schedulerEpoch;
    failures = 0;
    replicas.trust(address ?? "");
    clearTimeout(timer);
    silence.expect(pulseIntervalMs);
    sync(options.ownedPartitions());
    connected = true;
    logger.debug({ shard, epoch: String(epoch) }, "linked to the scheduler");
  };

  const ended = (error: Error | undefined): void => {
    const wasConnected = connected;
    stream = undefined;
    connected = false;
    clearTimeout(timer);
    silence.stop();
    if (stopped) return;
    const named = namedOwner(error);
    if (named !== undefined) replicas.learn(named);
    if (isGone(error)) replicas.suspect(address ?? "");
    // Once for each outage, and not for each attempt.
    if (wasConnected) logger.info({ err: error, shard }, "the link to the scheduler ended; connecting again");
    failures += 1;
    // The first pointer to the owner is followed at once. Replicas that point to each other, or to a dead one, cost time.
    const pauseMs = named !== undefined && failures === 1 ? 0 : pauseAfter(failures, error);
    timer = setTimeout(connect, pauseMs, named);
  };

  const connect = (named?: string): void => {
    // Frames count per stream: an acknowledgement that comes late must not be said on the next one.
    const opened: { stream?: Stream } = {};
    const frames = createResultFrames((upToFrame, returnedTaskIds) => {
      if (opened.stream !== stream) return;
      send({ case: "acknowledge", value: { upToFrame, returnedTaskIds: [...returnedTaskIds] } });
      syncReturned(returnedTaskIds);
    });
    const chosen = replicas.choose(named, address);
    ({ address } = chosen);
    timer = setTimeout(giveUpSilent, firstFrameTimeoutMs);
    stream = chosen.transport.openStream(LinkService.method.openLink, {
      onMessage(message) {
        // A stream that was given up may still deliver what a replica that lost the shard has sent.
        if (opened.stream !== stream) return;
        silence.heard();
        // While a shard is between two owners, its next one keeps the stream waiting, and shows that it lives.
        if (!connected) timer?.refresh();
        receive(message, frames);
      },
      onEnd(error) {
        if (opened.stream === stream) ended(error);
      },
    });
    opened.stream = stream;
    send({ case: "hello", value: { ownerId, shard } });
  };

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      connect();
    },
    stop() {
      stopped = true;
      const last = stream;
      ended(undefined);
      last?.cancel();
    },
    schedule(tasks) {
      if (!connected) return;
      for (let from = 0; from < tasks.length; from += maxTasksPerFrame) {
        send({ case: "schedule", value: { tasks: tasks.slice(from, from + maxTasksPerFrame) } });
      }
    },
    cancel(tasks) {
      if (!connected) return;
      for (let from = 0; from < tasks.length; from += maxTasksPerFrame) {
        const taskIds = tasks.slice(from, from + maxTasksPerFrame).map(({ taskId }) => taskId);
        send({ case: "cancel", value: { taskIds } });
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

function namedOwner(error: Error | undefined): string | undefined {
  if (!(error instanceof DomainError) || error.reason !== "SHARD_NOT_OWNED") return undefined;
  return error.metadata["owner_address"] || undefined;
}

/** Nobody is there, or not for long; everything else is an answer of one who is. */
function isGone(error: Error | undefined): boolean {
  return !(error instanceof DomainError) || error.reason === "UNAVAILABLE" || error.reason === "SHUTTING_DOWN";
}

function pauseAfter(failures: number, error: Error | undefined): number {
  const { first, longest } = linkRetryPauseMs;
  const asked = error instanceof DomainError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, Math.min(longest, first * 2 ** Math.min(failures - 1, 20)));
}
