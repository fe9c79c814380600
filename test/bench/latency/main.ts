import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startDev } from "@heddle/dev";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { chainDefinition } from "../support/chain-definition.ts";
import { endProcess, percentile, startEchoWorker } from "../support/processes.ts";

/*
 * Time from the start call to its answer for a workflow of dispatched steps, at a fixed rate that leaves the machine idle in
 * between: the latency of one, not of a queue. The floor beside each round: as many single-row commits on one connection as
 * a workflow has (the start, and one per step), one after the other.
 *
 *     node test/bench/latency/main.ts [--rate 20] [--seconds 20] [--steps 3] [--bytes 200]
 */
const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "20" },
    seconds: { type: "string", default: "20" },
    steps: { type: "string", default: "3" },
    bytes: { type: "string", default: "200" },
  },
});
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const steps = Number(values.steps);
const bytes = Number(values.bytes);
console.log(
  `latency: ${JSON.stringify({ rate, seconds, steps, bytes })}, node ${process.version}, ${cpus().length} cores, fsync on`,
);

const dataDir = await mkdtemp(join(tmpdir(), "heddle-bench-latency-"));
const dev = await startDev({ dataDir, env: { HEDDLE_WORKER: "false" } });
const worker = await startEchoWorker(dev.url, 100);
const transport = createGrpcTransport(dev.url);
const executions = createRpcClient(ExecutionService, transport);
const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "postgres") });
const database = openDatabase({ url: postgres.url, schema: "public" });
const connection = await database.connect();
try {
  await connection.query("create table floor (batch bytea not null)");
  await createRpcClient(DefinitionService, transport).publishDefinition({ source: chainDefinition("latency", steps) });
  // The first hundreds run in the interpreter; what is asked here is the latency of a process that has been up for a while.
  for (let index = 0; index < 500; index++) await runOne(index);

  const took: number[] = [];
  const floors: number[] = [];
  const pauseMs = 1000 / rate;
  const begun = performance.now();
  for (let index = 0; index < rate * seconds; index++) {
    const due = begun + index * pauseMs;
    await sleep(Math.max(0, due - performance.now()));
    if (index % 2 === 0) floors.push(await runFloor());
    took.push(await runOne(index));
  }
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(took, share).toFixed(2));
  const floor = percentile(floors, 0.5);
  console.log(
    `${steps} steps: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms; floor (${steps + 1} commits) p50 ${floor.toFixed(2)} ms; ` +
      `ratio ${(percentile(took, 0.5) / floor).toFixed(2)}`,
  );
  console.log("verified: every execution completed within its own call");
} finally {
  transport.close();
  await connection.end();
  await database.close();
  await endProcess(worker);
  await dev.stop();
  await postgres.stop();
  await rm(postgres.dataPath, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

async function runOne(index: number): Promise<number> {
  const text = `${index}-`.padEnd(bytes, "x");
  const started = performance.now();
  const { execution } = await executions.startExecution({
    workflowId: "latency",
    input: { text },
    wait: { seconds: 30n },
  });
  const elapsedMs = performance.now() - started;
  if (execution?.status !== ExecutionStatus.COMPLETED) {
    throw new Error(`execution ${index} ended as ${ExecutionStatus[execution?.status ?? 0]}`);
  }
  return elapsedMs;
}

async function runFloor(): Promise<number> {
  const batch = Buffer.alloc(bytes * 2, "x");
  const started = performance.now();
  for (let commit = 0; commit <= steps; commit++) {
    await connection.query({ name: "floor", text: "insert into floor (batch) values ($1)", values: [batch] });
  }
  return performance.now() - started;
}
