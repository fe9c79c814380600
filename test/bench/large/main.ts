import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { startDev } from "@heddle/dev";
import { type Client, createClient, type Json } from "@heddle/sdk";
import { startEmbeddedPostgres } from "@heddle/store";
import { endProcess, startEchoWorker, treeCpuSeconds } from "../support/processes.ts";
import { ITEM, layeredDefinition, loopDefinition, MAP, TREE } from "./definitions.ts";

/*
 * Executions that are large in one way each, against a DAG of 100 nodes in the same run: what a step costs the suite (CPU of
 * its process and of Postgres, not of the worker), and how much memory its process takes. Wide ones are compared with
 * many small ones that keep as many tasks in flight, those that do one thing after the other with small ones that do.
 * A step is a task that a worker runs. Where one task comes with more that begins and ends by itself (an item of a map is an
 * execution with a node in it; a level of the tree has three nodes), the cost of each of these is told beside it.
 *
 *     node test/bench/large/main.ts [--nodes 5000] [--items 100000] [--turns 10000] [--depth 20]
 */
const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "5000" },
    items: { type: "string", default: "100000" },
    turns: { type: "string", default: "10000" },
    depth: { type: "string", default: "20" },
  },
});
/** The item, and the node of its execution. */
const ITEM_PARTS = 2;
/** `step`, `below` and `sum`. */
const LEVEL_PARTS = 3;
/** Chains, and trees, that run at a time. */
const SIDE_BY_SIDE = 20;
const LAYERS = 10;
const WIDTH = 10;
const nodes = Number(values.nodes);
const items = Number(values.items);
const turns = Number(values.turns);
const depth = Number(values.depth);
console.log(
  `large: ${JSON.stringify({ nodes, items, turns, depth })}, node ${process.version}, ${cpus().length} cores, fsync on`,
);

interface Case {
  name: string;
  workflowId: string;
  input: Record<string, Json>;
  executions: number;
  /** Executions that run side by side. Default: all of them. */
  atOnce?: number;
  steps: number;
  /** Nodes, and items of maps, that begin and end for each step. Default: 1. */
  parts?: number;
  expected: Json;
}

const dataDir = await mkdtemp(join(tmpdir(), "heddle-bench-large-"));
const dev = await startDev({ dataDir, env: { HEDDLE_WORKER: "false" } });
const worker = await startEchoWorker(dev.url, 500);
const client = createClient({ address: dev.url });
const pid = Number(dev.child.pid);
try {
  const width = Math.max(1, Math.round(nodes / LAYERS));
  for (const source of [
    layeredDefinition("small-dag", LAYERS, WIDTH),
    layeredDefinition("large-dag", LAYERS, width),
    layeredDefinition("small-chain", LAYERS * WIDTH, 1),
    loopDefinition("large-loop"),
    ITEM,
    MAP,
    TREE,
  ])
    await client.publish({ source });

  const map = (count: number): Json => ({ all: { count, succeeded: count, failed: 0 } });
  const small = LAYERS * WIDTH;
  const one = (name: string, workflowId: string, input: Case["input"], steps: number, expected: Json): Case => {
    return { name, workflowId, input, executions: 1, steps, expected };
  };
  const many = Math.max(1, Math.round(nodes / small));
  const smallDag: Case = { ...one("DAG of 100", "small-dag", {}, small, WIDTH - 1), executions: many };
  const smallChain: Case = { ...one("chain of 100", "small-chain", {}, small, 0), executions: 5, atOnce: 1 };
  const smallChains: Case = { ...smallChain, executions: SIDE_BY_SIDE, atOnce: SIDE_BY_SIDE };
  const smallMap: Case = {
    ...one("map of 100", "large-map", { items: small }, small, map(small)),
    executions: 5,
    parts: ITEM_PARTS,
  };

  // The first thousands run in the interpreter.
  for (let round = 0; round < 2; round++) for (const one of [smallDag, smallMap, smallChain]) await run(one);

  const wide = await measure(smallDag);
  await measure(one(`DAG of ${nodes}`, "large-dag", {}, LAYERS * width, width - 1), wide);
  const mapped = await measure(smallMap, wide);
  const largeMap = { ...one(`map of ${items}`, "large-map", { items }, items, map(items)), parts: ITEM_PARTS };
  await measure(largeMap, wide, mapped);
  const chained = await measure(smallChain);
  await measure(one(`loop of ${turns}`, "large-loop", { turns }, turns, { turns }), chained);
  const besides = await measure(smallChains);
  // As many steps as the chains have, so that what a run costs at rest weighs the same.
  const trees = Math.ceil((SIDE_BY_SIDE * small) / depth);
  const tree = { ...one(`tree of depth ${depth}`, "large-tree", { depth }, depth, depth), executions: trees };
  await measure({ ...tree, atOnce: SIDE_BY_SIDE, parts: LEVEL_PARTS }, besides);
  console.log("verified: every execution completed with the right output");
} finally {
  client.close();
  await endProcess(worker);
  await dev.stop();
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "postgres") });
  await postgres.stop();
  await rm(postgres.dataPath, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

interface Figures {
  name: string;
  cpuPerStepUs: number;
  parts: number;
}

async function measure(measured: Case, ...references: Figures[]): Promise<Figures> {
  await sleep(1_000);
  const before = { cpu: treeCpuSeconds(pid), memory: residentMb(pid), at: performance.now() };
  let peak = before.memory;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMb(pid));
  }, 50);
  await run(measured).finally(() => clearInterval(sampler));
  const seconds = (performance.now() - before.at) / 1_000;
  // What was still to be projected is a part of the cost.
  await sleep(500);
  const steps = measured.steps * measured.executions;
  const cpuPerStepUs = ((treeCpuSeconds(pid) - before.cpu) * 1e6) / steps;
  const { parts = 1 } = measured;
  const ratios = references.map((other) => {
    const ratio = cpuPerStepUs / other.cpuPerStepUs;
    const perPart = (ratio * other.parts) / parts;
    return `${ratio.toFixed(2)}× ${other.name}${parts === other.parts ? "" : ` (${perPart.toFixed(2)}× per node or item)`}`;
  });
  console.log(
    `${`${measured.executions} × ${measured.name}`.padEnd(26)} ${steps} steps in ${seconds.toFixed(1)} s, ` +
      `${cpuPerStepUs.toFixed(0)} µs CPU a step, memory ${before.memory.toFixed(0)} → ${peak.toFixed(0)} MB at most` +
      (ratios.length > 0 ? `; per step ${ratios.join(", ")}` : ""),
  );
  return { name: measured.name, cpuPerStepUs, parts };
}

async function run({ workflowId, input, executions, expected, atOnce = executions }: Case): Promise<void> {
  let left = executions;
  const runSome = async (): Promise<void> => {
    while (left-- > 0) {
      const { executionId } = await client.start({ workflowId, input });
      await expectOutput(client, executionId, expected);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
}

async function expectOutput(of: Client, executionId: string, expected: Json): Promise<void> {
  const { status, output, failure } = await of.wait(executionId, { timeoutMs: 3_600_000 });
  if (status === "completed" && isDeepStrictEqual(output, expected)) return;
  throw new Error(`${executionId} is ${status} with ${JSON.stringify(output)}: ${failure?.message ?? ""}`);
}

/** Memory of the process itself that is resident, in MB; 0 where the system does not tell. */
function residentMb(of: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${of}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
