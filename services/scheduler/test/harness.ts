import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BidiStream,
  createGrpcTransport,
  createInMemoryTransport,
  createServer,
  type RpcTransport,
} from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import { createLogger, type Metrics } from "@heddle/telemetry";
import {
  type LinkResults,
  LinkService,
  type OpenLinkResponse,
} from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import {
  type Task,
  type TaskResult,
  type TaskResultSchema,
  type TaskSchema,
  TaskType,
} from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { type ConnectResponse, WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createSchedulerService, type SchedulerLimits } from "../src/index.ts";

export type TaskInit = MessageInitShape<typeof TaskSchema> & { taskId: string };

export const logger = createLogger({ name: "scheduler-test", level: "silent" });

/** How its streams are reached: within the process, or by grpc-js clients over a socket. */
export type Wire = "in-memory" | "grpc";

/** A scheduler that can be killed and started again at the same address. */
export interface Harness {
  transport: RpcTransport;
  /** Stops the service, and starts another one that knows nothing. */
  restart(): Promise<void>;
  /** Ends the service's streams, with the server still there. */
  stopService(): Promise<void>;
  /** Shuts the server down as SIGTERM does. */
  closeServer(): Promise<void>;
  stop(): Promise<void>;
}

let lastEpoch = 0n;

export async function startScheduler(
  wire: Wire,
  limits: Partial<SchedulerLimits> = {},
  metrics?: Metrics,
): Promise<Harness> {
  const service = createSchedulerService({ logger, metrics, limits, epoch: async () => (lastEpoch += 1n) });
  await service.start();
  const options = { routes: service.routes, logger, validation: service.validation };
  const server = wire === "grpc" ? createServer(options) : undefined;
  const transport =
    server === undefined ? createInMemoryTransport(options) : createGrpcTransport((await server.listen()).url);
  return {
    transport,
    // A service that starts again knows as little as a new process: only its epoch is higher.
    async restart() {
      await service.stop();
      await service.start();
    },
    stopService: () => service.stop(),
    closeServer: async () => server?.close({ drainMs: 2_000 }),
    async stop() {
      await service.stop();
      transport.close();
      await server?.close({ drainMs: 0 });
    },
  };
}

/** Every frame that came so far, and promises for those that will. */
export interface Frames<T> {
  all: T[];
  ended: Promise<Error | undefined>;
  /** The first frame, past or future, that `find` accepts. */
  first<R>(find: (frame: T) => R | undefined): Promise<R>;
  /** When enough is there. */
  until(done: (frames: T[]) => boolean): Promise<void>;
}

interface Collector<T> extends Frames<T> {
  onMessage(frame: T): void;
  onEnd(error: Error | undefined): void;
}

function collect<T>(): Collector<T> {
  const all: T[] = [];
  const waiting = new Set<() => void>();
  let finish: (error: Error | undefined) => void;
  const ended = new Promise<Error | undefined>((resolve) => {
    finish = resolve;
  });
  const until = (done: (frames: T[]) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!done(all)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then((error) => reject(error ?? new Error("the stream ended")));
    });
  return {
    all,
    ended,
    until,
    async first<R>(find: (frame: T) => R | undefined) {
      await until((frames) => frames.some((frame) => find(frame) !== undefined));
      return all.map(find).find((found) => found !== undefined) as R;
    },
    onMessage(frame) {
      all.push(frame);
      for (const look of waiting) look();
    },
    onEnd: (error) => finish(error),
  };
}

/** A delivered task, with the outcome if it is not to be `true`. */
type Done = Pick<Task, "taskId" | "fencingToken"> &
  Pick<MessageInitShape<typeof TaskResultSchema>, "output" | "failure">;

export interface TestWorker extends Frames<ConnectResponse> {
  stream: BidiStream<unknown>;
  tasks(): Task[];
  /** Sends a frame of results; `true` is the output of those that do not say otherwise. */
  finish(done: Done[]): void;
  untilTasks(count: number): Promise<Task[]>;
  acknowledged(): bigint;
  dropped(): Promise<string[]>;
  heartbeat(tasks: Pick<Task, "taskId" | "fencingToken">[], fromHandler?: boolean): void;
}

export interface WorkerOptions {
  id?: string;
  slots?: number;
  namespace?: string;
  tools?: string[];
  agents?: string[];
  held?: { taskId: string; fencingToken: bigint }[];
  /** Number of its first frame of results; a reconnecting process goes on counting. */
  firstFrame?: bigint;
}

export function connectWorker(transport: RpcTransport, options: WorkerOptions = {}): TestWorker {
  const { id = "w1", slots = 10, tools = ["echo"], agents = [], held = [], namespace = "" } = options;
  const frames = collect<ConnectResponse>();
  const stream = transport.openStream(WorkerService.method.connect, frames);
  let frame = (options.firstFrame ?? 1n) - 1n;
  stream.send({
    frame: {
      case: "hello",
      value: {
        workerId: id,
        namespace,
        slots,
        capabilities: [
          ...tools.map((name) => ({ type: TaskType.TOOL, name })),
          ...agents.map((name) => ({ type: TaskType.AGENT, name })),
        ],
        held: held.map(({ taskId, fencingToken }) => ({ taskId, fencingToken })),
      },
    },
  });
  const tasks = () => frames.all.flatMap((each) => (each.frame.case === "tasks" ? each.frame.value.tasks : []));
  return Object.assign(frames, {
    stream,
    tasks,
    finish(done: Done[]) {
      frame += 1n;
      const results = done.map(({ taskId, fencingToken, output, failure }) => ({
        taskId,
        fencingToken,
        output: output ?? { form: { case: "json" as const, value: "true" } },
        failure,
      }));
      stream.send({ frame: { case: "results", value: { frame, results } } });
    },
    async untilTasks(count: number) {
      await frames.until(() => tasks().length >= count);
      return tasks();
    },
    dropped: () => frames.first(({ frame: each }) => (each.case === "welcome" ? each.value.droppedTaskIds : undefined)),
    heartbeat(running: Pick<Task, "taskId" | "fencingToken">[], fromHandler = false) {
      const heartbeats = running.map(({ taskId, fencingToken }) => ({ taskId, fencingToken, fromHandler }));
      stream.send({ frame: { case: "heartbeats", value: { heartbeats } } });
    },
    acknowledged: () =>
      frames.all.reduce((last, each) => (each.frame.case === "acknowledge" ? each.frame.value.upToFrame : last), 0n),
  });
}

export interface TestOwner extends Frames<OpenLinkResponse> {
  stream: BidiStream<unknown>;
  results(): TaskResult[];
  untilResults(count: number): Promise<TaskResult[]>;
  schedule(tasks: TaskInit[]): void;
  sync(tasks: TaskInit[], partitions?: number[]): void;
  cancel(taskIds: string[]): void;
  acknowledge(): void;
}

export const ALL_PARTITIONS = Array.from({ length: 64 }, (_, index) => index);

/** An owner of executions; with `acknowledge: true` it acknowledges each frame as it comes. */
export function openLink(
  transport: RpcTransport,
  options: { id?: string; acknowledge?: boolean; sync?: TaskInit[] | false } = {},
): TestOwner {
  const frames = collect<OpenLinkResponse>();
  const acknowledgeUpTo = (upToFrame: bigint) => stream.send({ frame: { case: "acknowledge", value: { upToFrame } } });
  const { onMessage } = frames;
  const stream = transport.openStream(LinkService.method.openLink, {
    ...frames,
    onMessage(message) {
      onMessage(message);
      if (options.acknowledge === true && message.frame.case === "results") acknowledgeUpTo(message.frame.value.frame);
    },
  });
  const resultFrames = () =>
    frames.all.flatMap(({ frame }): LinkResults[] => (frame.case === "results" ? [frame.value] : []));
  const results = () => resultFrames().flatMap((each) => each.results);
  const sync = (tasks: TaskInit[], partitions = ALL_PARTITIONS) =>
    stream.send({ frame: { case: "sync", value: { partitions, tasks, last: true } } });
  stream.send({ frame: { case: "hello", value: { ownerId: options.id ?? "owner", shard: shardOf("default") } } });
  if (options.sync !== false) sync(options.sync ?? []);
  return Object.assign(frames, {
    stream,
    results,
    sync,
    async untilResults(count: number) {
      await frames.until(() => results().length >= count);
      return results();
    },
    schedule: (tasks: TaskInit[]) => void stream.send({ frame: { case: "schedule", value: { tasks } } }),
    cancel: (taskIds: string[]) => void stream.send({ frame: { case: "cancel", value: { taskIds } } }),
    acknowledge: () => void acknowledgeUpTo(resultFrames().at(-1)?.frame ?? 0n),
  });
}

/** A task of an execution of its own, in the partition. */
export function task(number: number, more: Omit<TaskInit, "taskId" | "$typeName"> = {}): TaskInit {
  const partition = (number % 64).toString(16).padStart(2, "0");
  return {
    taskId: `01900000-0000-7000-8000-${String(number).padStart(10, "0")}${partition}/node/1`,
    namespace: "default",
    type: TaskType.TOOL,
    name: "echo",
    input: { form: { case: "json", value: `{"number":${number}}` } },
    priority: 5,
    scheduledAtMs: BigInt(1_700_000_000_000 + number),
    ...more,
  };
}
