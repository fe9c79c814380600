import { createServer, createPushable, type RpcServer } from "@heddle/rpc";
import {
  type ConnectResponse,
  type ConnectResponseSchema,
  WorkerService,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";

type Frame = MessageInitShape<typeof ConnectResponseSchema>;

/*
 * The path of a chain with nothing on it: one stream to a worker, one INSERT for all results that wait, no engine, no
 * admission, no leases, no checks, no projection. A process of its own, told what to do by messages.
 */
const { dataDir } = JSON.parse(process.argv[2] ?? "{}") as { dataDir: string };
const postgres = await startEmbeddedPostgres({ dataDir });
const database = openDatabase({ url: postgres.url, schema: "floor" });
await database.knex.raw("create schema if not exists floor");
await database.knex.raw("drop table if exists floor.steps");
await database.knex.raw("create table floor.steps (id bigint generated always as identity, batch bytea not null)");
const connection = await database.connect();

let out: { push(frame: Frame): boolean } | undefined;
let waiting: { taskId: string; json: string }[] = [];
let flushing = false;
let run: { steps: number; total: number; started: number; ended: number; text: string } | undefined;

async function flush(): Promise<void> {
  flushing = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    const bytes = Buffer.from(batch.map((result) => `${result.taskId}${result.json}`).join("\n"));
    await connection.query({ name: "floor", text: "insert into floor.steps (batch) values ($1)", values: [bytes] });
    const tasks = batch.flatMap(({ taskId, json }) => next(taskId, json));
    if (tasks.length > 0) out?.push({ frame: { case: "tasks", value: { tasks } } });
  }
  flushing = false;
}

function next(taskId: string, json: string) {
  const current = run;
  if (current === undefined) return [];
  const [chain, step] = taskId.split("/").map(Number) as [number, number];
  if (step + 1 < current.steps) return [task(chain, step + 1, json)];
  current.ended += 1;
  if (current.ended === current.total) process.send?.({ done: true });
  if (current.started === current.total) return [];
  return [task(current.started++, 0, current.text)];
}

function task(chain: number, step: number, json: string) {
  return {
    taskId: `${chain}/${step}`,
    namespace: "default",
    type: TaskType.TOOL,
    name: "echo",
    input: { form: { case: "json" as const, value: json } },
    fencingToken: 1n,
  };
}

const server: RpcServer = createServer({
  logger: createLogger({ name: "floor", level: "warn" }),
  validation: { skip: () => true },
  routes: (router) =>
    router.service(WorkerService, {
      async *connect(requests, context) {
        const mine = createPushable<Frame>({ signal: context.signal });
        out = mine;
        const reading = (async () => {
          for await (const { frame } of requests) {
            if (frame.case === "hello") {
              mine.push({
                frame: { case: "welcome", value: { leaseDurationMs: 60_000n, heartbeatIntervalMs: 20_000n } },
              });
            } else if (frame.case === "results") {
              for (const { taskId, output } of frame.value.results) {
                waiting.push({ taskId, json: output?.form.case === "json" ? output.form.value : "" });
              }
              mine.push({ frame: { case: "acknowledge", value: { upToFrame: frame.value.frame } } });
              if (!flushing) void flush();
            }
          }
        })().catch(() => {});
        yield* mine as AsyncIterable<ConnectResponse>;
        await reading;
      },
    }),
});
const { url } = await server.listen();

process.on("message", (message: { total: number; steps: number; inFlight: number; text: string }) => {
  const { total, steps, inFlight, text } = message;
  run = { steps, total, started: Math.min(inFlight, total), ended: 0, text: JSON.stringify({ text }) };
  const tasks = Array.from({ length: run.started }, (_, chain) => task(chain, 0, JSON.stringify({ text })));
  out?.push({ frame: { case: "tasks", value: { tasks } } });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ url });
