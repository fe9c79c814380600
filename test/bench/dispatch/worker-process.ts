import { createGrpcTransport, type BidiStream } from "@heddle/rpc";
import { createWorker } from "@heddle/sdk";
import { createLogger } from "@heddle/telemetry";
import { type Task, type TaskResult, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";

/* The worker's own process: `node worker-process.ts <address> <slots> <raw|sdk>`. Ends with its stream, or when its parent does. */

const [address = "", slots = "1", kind = "raw"] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));

if (kind === "sdk") await runSdkWorker();
else runRawWorker();

/** Answers each frame of tasks with one frame of results: what a worker costs at the least. */
function runRawWorker(): void {
  let frame = 0n;
  const transport = createGrpcTransport(address);
  const stream: BidiStream<object> = transport.openStream(WorkerService.method.connect, {
    onMessage(message) {
      if (message.frame.case !== "tasks") return;
      frame += 1n;
      const results = message.frame.value.tasks.map(resultOf);
      const value = { $typeName: "heddle.worker.v1.WorkerResults", frame, results };
      stream.send({ $typeName: "heddle.worker.v1.ConnectRequest", frame: { case: "results", value } });
    },
    onEnd: () => process.exit(0),
  });
  const capabilities = [{ type: TaskType.TOOL, name: "echo" }];
  stream.send({ frame: { case: "hello", value: { workerId: "bench", slots: Number(slots), capabilities } } });
  process.send?.("ready");
}

function resultOf(task: Task): TaskResult {
  return {
    $typeName: "heddle.scheduler.v1.TaskResult",
    taskId: task.taskId,
    fencingToken: task.fencingToken,
    output: task.input,
    failure: undefined,
    startedAtMs: task.scheduledAtMs,
    worker: "",
  };
}

/** The worker that users write, with the smallest handler that there can be. */
async function runSdkWorker(): Promise<void> {
  const worker = createWorker({
    address,
    slots: Number(slots),
    workerId: "bench",
    handlers: { echo: (input: unknown) => input },
    logger: createLogger({ name: "bench-worker", level: "warn" }),
  });
  await worker.start();
  process.send?.("ready");
}
