import { createPushable, type Pushable, type Routes } from "@heddle/rpc";
import { type Task, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import {
  type ConnectRequest,
  type ConnectResponse,
  WorkerService,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { payloadOf, taskIdOf } from "./payload.ts";

/**
 * The floor: the same messages over the same kind of stream with nothing behind it. Each frame of results is answered with
 * a frame of as many new tasks; no queue, no lease, no owner.
 */
export interface FloorServer {
  routes: Routes;
  run(run: FloorRun): Promise<{ elapsedMs: number; frames: number }>;
}

export interface FloorRun {
  count: number;
  inFlight: number;
  /** Tasks in each of the first frames; the worker's answers, and so all later frames, have the same size. */
  frameSize: number;
  bytes: number;
}

export function createFloorServer(): FloorServer {
  let out: Pushable<ConnectResponse> | undefined;
  let onResults: (count: number) => void = () => {};
  let nextNumber = 0;

  async function read(requests: AsyncIterable<ConnectRequest>): Promise<void> {
    for await (const { frame } of requests) if (frame.case === "results") onResults(frame.value.results.length);
  }

  return {
    routes(router) {
      router.service(WorkerService, {
        async *connect(requests, { signal }) {
          const pushable = createPushable<ConnectResponse>({ signal });
          out = pushable;
          read(requests).then(
            () => pushable.end(),
            () => pushable.end(),
          );
          yield* pushable;
        },
      });
    },
    run({ count, inFlight, frameSize, bytes }) {
      return new Promise((resolve) => {
        let sent = 0;
        let finished = 0;
        let frames = 0;
        const startedAt = performance.now();
        const send = (most: number) => {
          const tasks: Task[] = [];
          for (const end = Math.min(sent + most, count); sent < end; sent++) tasks.push(newTask(nextNumber++, bytes));
          if (tasks.length === 0) return;
          frames += 1;
          const value = { $typeName: "heddle.worker.v1.WorkerTasks" as const, tasks };
          out?.push({ $typeName: "heddle.worker.v1.ConnectResponse", frame: { case: "tasks", value } });
        };
        onResults = (results) => {
          finished += results;
          if (finished === count) resolve({ elapsedMs: performance.now() - startedAt, frames });
          send(results);
        };
        for (let first = 0; first < inFlight; first += frameSize) send(Math.min(frameSize, inFlight - first));
      });
    },
  };
}

function newTask(number: number, bytes: number): Task {
  return {
    $typeName: "heddle.scheduler.v1.Task",
    taskId: taskIdOf(number),
    namespace: "default",
    type: TaskType.TOOL,
    name: "echo",
    input: { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: payloadOf(number, bytes) } },
    agent: undefined,
    priority: 5,
    timeoutMs: 60_000n,
    heartbeatTimeoutMs: 0n,
    scheduledAtMs: BigInt(Date.now()),
    workflowId: "bench",
    fencingToken: BigInt(number),
    traceparent: "",
    queueTimeoutMs: 0n,
    progressTimeoutMs: 0n,
  };
}
