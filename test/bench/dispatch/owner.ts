import type { BidiStream, RpcTransport } from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import { LinkService, type OpenLinkResponse } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { type Task, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { numberOf, numberOfId, payloadOf, taskIdOf } from "./payload.ts";

/** Most tasks in one frame, by the contract. */
const FRAME_MAX = 10_000;

export interface OwnerRun {
  /** Tasks to run. */
  count: number;
  /** Tasks that are out at once. */
  inFlight: number;
  bytes: number;
  priorityOf: (index: number) => number;
}

export interface OwnerResult {
  elapsedMs: number;
  /** Numbers of the tasks in the order in which their results came. */
  order: Int32Array;
  frames: number;
}

/** The owner of the executions, in the process of the scheduler: as in the laptop process, but without an engine. */
export interface BenchOwner {
  run(run: OwnerRun): Promise<OwnerResult>;
  close(): void;
}

export function openOwner(transport: RpcTransport): BenchOwner {
  let nextNumber = 0;
  let onResults: (message: OpenLinkResponse) => void = () => {};
  let onFailure: (error: Error) => void = () => {};
  const stream: BidiStream<object> = transport.openStream(LinkService.method.openLink, {
    onMessage: (message) => onResults(message),
    onEnd: (error) => onFailure(error ?? new Error("the link ended")),
  });
  const send = (frame: object) => stream.send({ $typeName: "heddle.scheduler.v1.OpenLinkRequest", frame });
  const partitions = Array.from({ length: 64 }, (_, index) => index);
  send({
    case: "hello",
    value: { $typeName: "heddle.scheduler.v1.LinkHello", ownerId: "bench", shard: shardOf("default") },
  });
  send({
    case: "sync",
    value: { $typeName: "heddle.scheduler.v1.LinkSync", partitions, epochs: [], tasks: [], last: true },
  });

  return {
    run({ count, inFlight, bytes, priorityOf }) {
      const first = nextNumber;
      nextNumber += count;
      const done = new Uint8Array(count);
      const order = new Int32Array(count);
      let scheduled = 0;
      let finished = 0;
      let frames = 0;
      const startedAt = performance.now();

      const schedule = (more: number) => {
        const until = Math.min(scheduled + more, count);
        while (scheduled < until) {
          const tasks: Task[] = [];
          for (const end = Math.min(scheduled + FRAME_MAX, until); scheduled < end; scheduled++) {
            tasks.push(newTask(first + scheduled, bytes, priorityOf(scheduled)));
          }
          send({ case: "schedule", value: { $typeName: "heddle.scheduler.v1.LinkSchedule", tasks } });
        }
      };

      return new Promise((resolve, reject) => {
        onFailure = reject;
        onResults = ({ frame }) => {
          if (frame.case !== "results") return;
          const { results, frame: upToFrame } = frame.value;
          frames += 1;
          send({
            case: "acknowledge",
            value: { $typeName: "heddle.scheduler.v1.LinkAcknowledge", upToFrame, returnedTaskIds: [] },
          });
          for (const { taskId, output, failure } of results) {
            const number = numberOfId(taskId);
            const index = number - first;
            if (done[index] !== 0) return reject(new Error(`task ${taskId} ended twice, or was never scheduled`));
            const json = output?.form.case === "json" ? output.form.value : "";
            if (failure !== undefined || json.length !== bytes || numberOf(json) !== number) {
              return reject(new Error(`task ${taskId} has a wrong result: ${failure?.message ?? json}`));
            }
            done[index] = 1;
            order[finished++] = index;
          }
          schedule(results.length);
          if (finished === count) resolve({ elapsedMs: performance.now() - startedAt, order, frames });
        };
        schedule(inFlight);
      });
    },
    close: () => stream.close(),
  };
}

function newTask(number: number, bytes: number, priority: number): Task {
  return {
    $typeName: "heddle.scheduler.v1.Task",
    taskId: taskIdOf(number),
    namespace: "default",
    type: TaskType.TOOL,
    name: "echo",
    input: { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: payloadOf(number, bytes) } },
    agent: undefined,
    priority,
    timeoutMs: 60_000n,
    heartbeatTimeoutMs: 0n,
    scheduledAtMs: BigInt(Date.now()),
    workflowId: "bench",
    fencingToken: 0n,
    traceparent: "",
    queueTimeoutMs: 0n,
    progressTimeoutMs: 0n,
  };
}
