import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TaskSchema, TaskType, type Task, type TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import {
  WorkerService,
  type ConnectRequest,
  type ConnectResponse,
  type Heartbeat,
  type WorkerHello,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createPushable, type Routes } from "@heddle/rpc";
import { vi } from "vitest";

type ResponseFrame = ConnectResponse["frame"];

/** What the scheduler saw of one stream, and what it can say on it. */
export interface FakeStream {
  readonly hello: WorkerHello;
  readonly frames: readonly ConnectRequest["frame"][];
  /** Results in order of arrival, with the number of their frame. */
  readonly results: readonly (TaskResult & { frame: number })[];
  readonly heartbeats: readonly Heartbeat[];
  readonly ended: boolean;
  welcome(droppedTaskIds?: string[]): void;
  deliver(...tasks: Task[]): void;
  cancel(...taskIds: string[]): void;
  acknowledge(upToFrame: number): void;
  send(frame: ResponseFrame): void;
  /** Ends the stream; with an error as a server that stops or crashes does. */
  breakOff(error?: Error): void;
}

export interface FakeSchedulerOptions {
  /** Default true: answer hello at once. */
  welcomes?: boolean;
  /** Default true: acknowledge each result frame at once. */
  acknowledges?: boolean;
  heartbeatIntervalMs?: number;
  /** Called for each hello; an error refuses the stream. */
  onHello?: (hello: WorkerHello) => void;
  onResults?: (stream: FakeStream, results: readonly TaskResult[]) => void;
}

/** The scheduler's side of the stream, under the control of a test. */
export interface FakeScheduler {
  readonly routes: Routes;
  readonly streams: readonly FakeStream[];
  /** The stream with this number, from 1, as soon as its hello has come. */
  stream(number: number): Promise<FakeStream>;
}

export function createFakeScheduler(options: FakeSchedulerOptions = {}): FakeScheduler {
  const { welcomes = true, acknowledges = true, heartbeatIntervalMs = 5_000, onHello, onResults } = options;
  const streams: FakeStream[] = [];

  async function* serve(requests: AsyncIterable<ConnectRequest>, signal: AbortSignal): AsyncIterable<ConnectResponse> {
    const out = createPushable<ConnectResponse>({ signal });
    const frames: ConnectRequest["frame"][] = [];
    const results: (TaskResult & { frame: number })[] = [];
    const heartbeats: Heartbeat[] = [];
    const send = (frame: ResponseFrame) => void out.push({ $typeName: "heddle.worker.v1.ConnectResponse", frame });
    let stream: (FakeStream & { ended: boolean }) | undefined;

    async function read(): Promise<void> {
      for await (const { frame } of requests) {
        frames.push(frame);
        if (frame.case === "hello") {
          onHello?.(frame.value);
          stream = {
            hello: frame.value,
            frames,
            results,
            heartbeats,
            ended: false,
            welcome: (droppedTaskIds = []) =>
              send({
                case: "welcome",
                value: {
                  $typeName: "heddle.worker.v1.WorkerWelcome",
                  leaseDurationMs: BigInt(heartbeatIntervalMs * 3),
                  heartbeatIntervalMs: BigInt(heartbeatIntervalMs),
                  droppedTaskIds,
                },
              }),
            deliver: (...tasks) => send({ case: "tasks", value: { $typeName: "heddle.worker.v1.WorkerTasks", tasks } }),
            cancel: (...taskIds) =>
              send({ case: "cancel", value: { $typeName: "heddle.worker.v1.WorkerCancel", taskIds } }),
            acknowledge: (upToFrame) =>
              send({
                case: "acknowledge",
                value: { $typeName: "heddle.worker.v1.WorkerAcknowledge", upToFrame: BigInt(upToFrame) },
              }),
            send,
            breakOff: (error) => (error === undefined ? out.end() : out.fail(error)),
          };
          streams.push(stream);
          if (welcomes) stream.welcome();
        } else if (frame.case === "results") {
          const number = Number(frame.value.frame);
          for (const result of frame.value.results) results.push({ ...result, frame: number });
          if (acknowledges) stream?.acknowledge(number);
          if (stream !== undefined) onResults?.(stream, frame.value.results);
        } else if (frame.case === "heartbeats") heartbeats.push(...frame.value.heartbeats);
      }
    }

    read().then(
      () => out.end(),
      (error: Error) => out.fail(error),
    );
    try {
      yield* out;
    } finally {
      if (stream !== undefined) stream.ended = true;
    }
  }

  return {
    routes: (router) =>
      router.service(WorkerService, { connect: (requests, context) => serve(requests, context.signal) }),
    streams,
    stream: (number) =>
      vi.waitFor(
        () => {
          const found = streams[number - 1];
          if (found === undefined) throw new Error(`there is no stream ${number} yet, only ${streams.length}`);
          return found;
        },
        { timeout: 10_000, interval: 5 },
      ),
  };
}

type TaskFields = Omit<Exclude<MessageInitShape<typeof TaskSchema>, Task>, "$typeName">;

let tasksMade = 0;

/** A task as the scheduler sends it; `input` as a value. */
export function makeTask(name: string, input: unknown = {}, fields: TaskFields = {}): Task {
  tasksMade += 1;
  return create(TaskSchema, {
    taskId: `execution-${tasksMade}/node/1`,
    namespace: "default",
    type: TaskType.TOOL,
    name,
    input: { form: { case: "json", value: JSON.stringify(input) } },
    fencingToken: BigInt(tasksMade),
    workflowId: "workflow",
    ...fields,
  });
}

/** The output of a result as a value. */
export function outputOf(result: TaskResult | undefined): unknown {
  const form = result?.output?.form;
  return form?.case === "json" ? JSON.parse(form.value) : undefined;
}
