import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findFreePort, startKafkaBroker } from "@heddle/broker";
import { startEmbeddedPostgres } from "@heddle/store";
import { percentile } from "../support/processes.ts";

/*
 * Time and CPU of each service from its start to readiness, as images start it: the bundle, node's options of the image, a
 * Postgres that is migrated, a Kafka. One at a time. Beside it an empty node, as every figure has the machine in it.
 *
 *     node test/bench/start/main.ts [--times 5] [--service execution] [--node-options "--enable-source-maps"]
 */
const { values } = parseArgs({
  options: {
    times: { type: "string", default: "5" },
    service: { type: "string" },
    "node-options": { type: "string", default: optionsOfImages() },
  },
});
const times = Number(values.times);
const services = readdirSync("services").filter((name) => values.service === undefined || values.service === name);
const folder = mkdtempSync(join(tmpdir(), "heddle-bench-start-"));
const database = await startEmbeddedPostgres({ dataDir: join(folder, "postgres") });
const broker = await startKafkaBroker({ dir: join(folder, "kafka") });
const env = {
  PATH: process.env["PATH"] ?? "",
  NODE_ENV: "production",
  NODE_OPTIONS: values["node-options"],
  DATABASE_URL: database.url,
  KAFKA_BROKERS: broker.address,
  HEDDLE_PORT: "0",
};

/** Tells its own CPU time in milliseconds. */
const EMPTY = "const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)";

interface Start {
  wallMs: number;
  cpuMs: number;
}

try {
  execFileSync(process.execPath, ["scripts/bundle.ts", folder, ...services], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  console.log(
    `start: node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, options "${values["node-options"]}", best of ${times}`,
  );
  const empty = best(await repeat(() => runToEnd(EMPTY)));
  console.log(`empty node     ${format(empty)}`);
  // A worker is ready when a scheduler has welcomed it: none is here, so it is measured to its first attempt.
  for (const service of services) {
    const cwd = join(folder, service);
    execFileSync(process.execPath, ["main.js", "migrate"], { cwd, env, stdio: "ignore" });
    const starts = await repeat(() => runToReady(cwd, service === "worker" ? "is not connected" : "is ready"));
    const { wallMs, cpuMs } = best(starts);
    const p50 = percentile(
      starts.map((each) => each.wallMs),
      0.5,
    );
    console.log(
      `${service.padEnd(14)} ${format({ wallMs, cpuMs })}, p50 ${p50.toFixed(0)} ms, ${(wallMs / empty.wallMs).toFixed(1)} times an empty node`,
    );
  }
} finally {
  await broker.purge();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
  if (database.dataPath !== undefined) rmSync(database.dataPath, { recursive: true, force: true });
}

async function repeat(start: () => Promise<Start>): Promise<Start[]> {
  const starts: Start[] = [];
  for (let time = 0; time < times; time++) starts.push(await start());
  return starts;
}

async function runToEnd(program: string): Promise<Start> {
  const begunAt = performance.now();
  const stdout = execFileSync(process.execPath, ["--eval", program], { env, encoding: "utf8" });
  return { wallMs: performance.now() - begunAt, cpuMs: Number(stdout) };
}

/** From the spawn to the line in its log. Its CPU time is read at that moment from the system. */
async function runToReady(cwd: string, until: string): Promise<Start> {
  const port = await findFreePort();
  const begunAt = performance.now();
  const child = spawn(process.execPath, ["main.js"], {
    cwd,
    env: { ...env, HEDDLE_PORT: String(port), HEDDLE_ADDRESS: "http://127.0.0.1:1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const started = await new Promise<Start>((resolve, reject) => {
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes(until)) resolve({ wallMs: performance.now() - begunAt, cpuMs: cpuOf(child.pid ?? 0) });
    });
    child.once("close", () => reject(new Error(`${cwd} ended before it was ready:\n${log}`)));
  });
  child.kill("SIGTERM");
  await ended;
  return started;
}

/** User and system time of a running process, by /proc, whose ticks are hundredths of a second; NaN elsewhere. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

function best(starts: readonly Start[]): Start {
  return {
    wallMs: Math.min(...starts.map(({ wallMs }) => wallMs)),
    cpuMs: Math.min(...starts.map(({ cpuMs }) => cpuMs)),
  };
}

function format({ wallMs, cpuMs }: Start): string {
  return `${wallMs.toFixed(0).padStart(5)} ms, CPU ${cpuMs.toFixed(0).padStart(4)} ms`;
}

function optionsOfImages(): string {
  return /NODE_OPTIONS=(\S+)/.exec(readFileSync("deploy/Dockerfile", "utf8"))?.[1] ?? "";
}
