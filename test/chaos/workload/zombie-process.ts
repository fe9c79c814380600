import { parseArgs } from "node:util";
import { createGrpcTransport } from "@heddle/rpc";
import { TaskType, type Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { WorkerService, type ConnectRequest } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createEffectLog, effectsFile, readEffects } from "../record/effects.ts";

/*
 * A worker that takes tasks, falls silent until each of them has run elsewhere, and then answers with a wrong number: its
 * leases are over, and its fencing tokens old. Whatever it answers must be refused. It waits for the other worker's own
 * record and not for a time: a scheduler that was stopped in between may rightly have left it its leases for longer.
 */
const { values } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    id: { type: "string", default: "" },
    slots: { type: "string", default: "3" },
    folder: { type: "string", default: "" },
  },
});
const WRONG = -1_000_000;
const LOOK_INTERVAL_MS = 1_000;
/** A worker that sends nothing at all is thrown out: it says that it lives, and of no task that it runs. */
const HEARTBEAT_INTERVAL_MS = 2_000;

const log = createEffectLog(effectsFile(values.folder, values.id));
const held = new Map<string, Task>();
let frame = 0;

const transport = createGrpcTransport(values.address);
const stream = transport.openStream(WorkerService.method.connect, {
  onMessage({ frame: { case: kind, value } }) {
    if (kind === "welcome") console.log("ready");
    if (kind === "tasks") take(value.tasks);
    if (kind === "refusals") console.log(`${value.refusals.length} answers were refused`);
  },
  onEnd(error) {
    console.log(`the stream ended: ${error?.message ?? "by the server"}`);
    process.exit(0);
  },
});
send({
  case: "hello",
  value: {
    $typeName: "heddle.worker.v1.WorkerHello",
    namespace: "",
    workerId: values.id,
    capabilities: [
      {
        $typeName: "heddle.worker.v1.Capability",
        type: TaskType.TOOL,
        name: "add",
        description: "",
        maxConcurrent: 0,
      },
    ],
    slots: Number(values.slots),
    held: [],
    labels: {},
    client: "zombie/1",
  },
});

setInterval(() => {
  if (held.size === 0) return;
  const elsewhere = new Map(
    readEffects(values.folder)
      .filter(({ phase, worker }) => phase === "end" && worker !== values.id)
      .map(({ key, token }) => [key, token]),
  );
  for (const [key, task] of held) {
    const newer = elsewhere.get(key);
    if (newer === undefined || BigInt(newer) <= task.fencingToken) continue;
    held.delete(key);
    const token = String(task.fencingToken);
    log({ phase: "stale", at: Date.now(), worker: values.id, key, token, n: 0, result: WRONG });
    answer(task);
  }
}, LOOK_INTERVAL_MS);

setInterval(() => {
  send({ case: "heartbeats", value: { $typeName: "heddle.worker.v1.WorkerHeartbeats", heartbeats: [] } });
}, HEARTBEAT_INTERVAL_MS);

function take(tasks: readonly Task[]): void {
  console.log(`took ${tasks.length} tasks`);
  for (const task of tasks) held.set(task.taskId, task);
}

function answer(task: Task): void {
  frame += 1;
  send({
    case: "results",
    value: {
      $typeName: "heddle.worker.v1.WorkerResults",
      frame: BigInt(frame),
      results: [
        {
          $typeName: "heddle.scheduler.v1.TaskResult",
          taskId: task.taskId,
          fencingToken: task.fencingToken,
          startedAtMs: BigInt(Date.now()),
          worker: values.id,
          output: {
            $typeName: "heddle.common.v1.Payload",
            form: { case: "json", value: JSON.stringify({ n: WRONG }) },
          },
        },
      ],
    },
  });
}

function send(value: ConnectRequest["frame"]): void {
  stream.send({ $typeName: "heddle.worker.v1.ConnectRequest", frame: value });
}
