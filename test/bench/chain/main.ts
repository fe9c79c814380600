import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { startDev } from "@heddle/dev";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { startEmbeddedPostgres } from "@heddle/store";
import { chainDefinition } from "../support/chain-definition.ts";
import { cpuSeconds, endProcess, median, percentile, startEchoWorker, treeCpuSeconds } from "../support/processes.ts";

/*
 * Steps per second of chains: every step is dispatched to a worker in a process of its own and committed with fsync on.
 * The suite is the laptop process; the starts come from this process over gRPC and wait for the end. Beside it, in the
 * same run and by turns, the floor: the same frames over one stream with one INSERT per batch and nothing else.
 *
 *     node test/bench/chain/main.ts [--chains 3000] [--steps 10] [--in-flight 256] [--bytes 200] [--rounds 3]
 */
const { values } = parseArgs({
  options: {
    chains: { type: "string", default: "3000" },
    steps: { type: "string", default: "10" },
    "in-flight": { type: "string", default: "256" },
    bytes: { type: "string", default: "200" },
    rounds: { type: "string", default: "3" },
    profile: { type: "boolean", default: false },
  },
});
const chains = Number(values.chains);
const steps = Number(values.steps);
const inFlight = Number(values["in-flight"]);
const bytes = Number(values.bytes);
const rounds = Number(values.rounds);
console.log(
  `chain: ${JSON.stringify({ chains, steps, inFlight, bytes, rounds })}, node ${process.version}, ${cpus().length} cores, fsync on`,
);

const dataDir = await mkdtemp(join(tmpdir(), "heddle-bench-chain-"));
const dev = await startDev({
  dataDir,
  env: {
    HEDDLE_WORKER: "false",
    ...(values.profile && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${dataDir}/../heddle-profile` }),
  },
});
const worker = await startEchoWorker(dev.url, 2048);
const transport = createGrpcTransport(dev.url);
const executions = createRpcClient(ExecutionService, transport);
const definitions = createRpcClient(DefinitionService, transport);
const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "postgres") });

const floor = await startFloor();
const floorWorker = await startEchoWorker(floor.url, 2048);
try {
  await definitions.publishDefinition({ source: chainDefinition("chain", steps) });
  await runChains(Math.ceil(chains / 4));
  await runFloor(Math.ceil(chains / 4));

  const rates: number[] = [];
  const floors: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const before = usage();
    const { elapsedMs, latencies } = await runChains(chains);
    const used = usage().map((seconds, index) => ((seconds - (before[index] ?? 0)) * 1e6) / (chains * steps));
    const bareMs = await runFloor(chains);
    rates.push((chains * steps * 1000) / elapsedMs);
    floors.push((chains * steps * 1000) / bareMs);
    const [server, workerCpu, database] = used.map((micros) => micros.toFixed(1));
    console.log(
      `round ${round}: ${perSecond(rates.at(-1))}, floor ${perSecond(floors.at(-1))}; CPU per step: suite ${server} µs, worker ${workerCpu} µs, ` +
        `Postgres ${database} µs; a chain takes p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms`,
    );
  }
  await verify();
  console.log(
    `chain ${perSecond(median(rates))}, floor ${perSecond(median(floors))}, ratio ${(median(rates) / median(floors)).toFixed(2)}`,
  );
  console.log(
    "verified: every chain completed with its own text, and its history is gapless with each step completed once",
  );
} finally {
  transport.close();
  await Promise.all([endProcess(worker), endProcess(floorWorker), endProcess(floor.child)]);
  await dev.stop();
  await postgres.stop();
  await rm(postgres.dataPath, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

async function runChains(count: number): Promise<{ elapsedMs: number; latencies: number[] }> {
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count) {
      const text = textOf(next++);
      const begun = performance.now();
      const { execution } = await executions.startExecution(
        { workflowId: "chain", input: { text }, wait: { seconds: 60n } },
        { timeoutMs: 70_000 },
      );
      latencies.push(performance.now() - begun);
      const output = execution?.output === undefined ? "" : JSON.stringify(toJson(ValueSchema, execution.output));
      if (execution?.status !== ExecutionStatus.COMPLETED || output !== JSON.stringify({ text })) {
        throw new Error(
          `chain ${text.slice(0, 12)} ended as ${ExecutionStatus[execution?.status ?? 0]} with ${output}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { elapsedMs: performance.now() - started, latencies };
}

/** Looks at the history of some hundred chains: gapless, each step scheduled and completed once, in order. */
async function verify(): Promise<void> {
  const { executions: listed } = await executions.listExecutions({ workflowId: "chain", pageSize: 500 });
  if (listed.length < Math.min(500, chains)) throw new Error(`the list shows ${listed.length} chains`);
  for (const { executionId } of listed) {
    const { events } = await executions.listHistory({ executionId, pageSize: 1000 });
    const kinds = events.map(({ seq, event }, index) => {
      if (Number(seq) !== index + 1) throw new Error(`${executionId} has a gap at ${index + 1}`);
      const nodeId = event.case === "taskScheduled" || event.case === "taskCompleted" ? event.value.nodeId : "";
      return `${event.case}${nodeId}`;
    });
    const expected = Array.from({ length: steps }, (_, index) => [
      `taskScheduleds${index}`,
      `taskCompleteds${index}`,
    ]).flat();
    if (kinds.join() !== ["executionStarted", ...expected, "executionCompleted"].join()) {
      throw new Error(`${executionId} has the history ${kinds.join()}`);
    }
  }
}

function textOf(index: number): string {
  return `${index}-`.padEnd(bytes, "x");
}

async function startFloor(): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(new URL("floor.ts", import.meta.url)), [
    JSON.stringify({ dataDir: join(dataDir, "postgres") }),
  ]);
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  return { child, url };
}

async function runFloor(total: number): Promise<number> {
  const started = performance.now();
  floor.child.send({ total, steps, inFlight, text: textOf(0) });
  await once(floor.child, "message");
  return performance.now() - started;
}

/** CPU seconds of the suite, the worker and Postgres. */
function usage(): number[] {
  return [cpuSeconds(dev.pid), cpuSeconds(worker.pid ?? 0), treeCpuSeconds(postgres.pid)];
}

function perSecond(rate: number | undefined): string {
  return `${Math.round(rate ?? 0).toLocaleString("en")} steps/s`;
}
