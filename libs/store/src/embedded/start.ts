import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { PostgresBinaries } from "./binaries.ts";
import { type Installation, identity, install, superuser } from "./install.ts";
import { isInUse, processState, readPostmasterFile } from "./postmaster.ts";
import { serverSettings } from "./settings.ts";

export interface EmbeddedPostgresOptions {
  /** Holds the data, the log, the port and the superuser's password. Made if missing. */
  dataDir: string;
  /** Default: the port used before if it is free, else any free one. */
  port?: number;
  /** Created if missing. Default `heddle`. */
  database?: string;
  /** Default: HEDDLE_POSTGRES_BIN, the npm package, or the system's newest. */
  binaries?: PostgresBinaries;
  /** Server settings over ours. They apply when the server is started, not when a running one is adopted. */
  settings?: Record<string, string | number>;
  /** Default 200. */
  maxConnections?: number;
}

export interface EmbeddedPostgres {
  url: string;
  port: number;
  /** Process id of the postmaster. */
  pid: number;
  /** Real path of the data: for root it may be outside `dataDir`, and whoever throws `dataDir` away must remove it too. */
  dataPath: string;
  /** Whether it was running already. */
  adopted: boolean;
  /** Ends connections, stops the server (an adopted one too) and waits until it is gone. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 10;
const ZOMBIE_PATIENCE_MS = 5_000;
const STOP_TIMEOUT_MS = 15_000;
const LOG_MAX_BYTES = 10 * 1024 * 1024;

/**
 * Starts Postgres in its own session, so that neither the end of this process nor Ctrl-C in its terminal ends it:
 * whoever starts next on the same directory adopts it. Call `stop()` to end it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const installation = await install(options.dataDir, options.binaries);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let adopted = true;
  while (Date.now() < deadline) {
    const running = await findRunning(installation.data, deadline);
    if (running) {
      const url = (database: string): string =>
        `postgres://${superuser}:${installation.password}@127.0.0.1:${running.port}/${database}`;
      const database = options.database ?? "heddle";
      if (!(await ensureDatabase(url("postgres"), database))) continue;
      writeFileSync(installation.portFile, String(running.port));
      return {
        url: url(database),
        port: running.port,
        pid: running.pid,
        dataPath: installation.data,
        adopted,
        stop: () => stop(installation.data),
      };
    }
    adopted = false;
    await launch(installation, options);
  }
  throw new Error(
    `Postgres in ${installation.data} did not become ready; the end of ${installation.log}:\n${logTail(installation.log)}`,
  );
}

/** The running server of the directory once it is ready; undefined when there is none, with a dead one's traces removed. */
async function findRunning(data: string, deadline: number): Promise<{ pid: number; port: number } | undefined> {
  let zombieSince: number | undefined;
  while (Date.now() < deadline) {
    const file = readPostmasterFile(data);
    if (!file) return undefined;
    const state = processState(file.pid, data);
    if (state === "running" && file.status === "ready") return file;
    if (state === "dead" && !isInUse(data)) {
      rmSync(join(data, "postmaster.pid"), { force: true });
      return undefined;
    }
    if (state === "zombie") {
      zombieSince ??= Date.now();
      // Nobody will ever collect it (an init that does not reap). It can do no harm once its children are gone.
      if (Date.now() - zombieSince > ZOMBIE_PATIENCE_MS && !isInUse(data)) {
        rmSync(join(data, "postmaster.pid"), { force: true });
        return undefined;
      }
    }
    await sleep(POLL_MS);
  }
  return undefined;
}

/** Starts the server and returns when it is up, or has ended because another process was faster. */
async function launch(installation: Installation, options: EmbeddedPostgresOptions): Promise<void> {
  const { data, log, binaries, account } = installation;
  const port = options.port ?? (await choosePort(installation.portFile));
  const settings = { ...serverSettings({ port, maxConnections: options.maxConnections ?? 200 }), ...options.settings };
  const output = openSync(log, logSize(log) > LOG_MAX_BYTES ? "w" : "a");
  const child = spawn(
    join(binaries.bin, "postgres"),
    ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    {
      ...identity(account),
      detached: true,
      stdio: ["ignore", output, output],
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    },
  );
  closeSync(output);
  let failure: Error | undefined;
  let ended = false;
  child.once("error", (error) => {
    failure = error;
    ended = true;
  });
  child.once("exit", () => {
    ended = true;
  });
  while (!ended) {
    const file = readPostmasterFile(data);
    if (file?.pid === child.pid && file?.status === "ready") {
      child.unref();
      return;
    }
    await sleep(POLL_MS);
  }
  if (failure) throw new Error(`cannot run ${binaries.bin}/postgres: ${failure.message}`, { cause: failure });
  const file = readPostmasterFile(data);
  // Another process started it; or the killed one's children still hold its memory, which passes.
  if (file && processState(file.pid, data) !== "dead") return;
  const tail = logTail(log);
  if (/pre-existing shared memory block|is being used by another|already exists/.test(tail)) {
    await sleep(100);
    return;
  }
  const taken = /could not bind IPv4 address|could not create any TCP\/IP sockets/.test(tail);
  if (taken && options.port === undefined) {
    rmSync(installation.portFile, { force: true });
    return;
  }
  const remedy = taken ? `port ${port} is taken: free it or leave the port out to have one chosen` : "see its log";
  throw new Error(`Postgres in ${data} ended at once (${remedy}); the end of ${log}:\n${tail}`);
}

/** False when the server went away again while we were asking. */
async function ensureDatabase(url: string, name: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // Created by another process meanwhile.
    if (code === "42P04" || code === "23505") return true;
    if (code === "ECONNREFUSED" || code === "ECONNRESET" || code === "57P03") {
      await sleep(POLL_MS);
      return false;
    }
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function stop(data: string): Promise<void> {
  const file = readPostmasterFile(data);
  if (!file || processState(file.pid, data) !== "running") return;
  const began = Date.now();
  // SIGINT is Postgres's fast shutdown: roll back, checkpoint, exit. SIGQUIT leaves the rest to recovery.
  process.kill(file.pid, "SIGINT");
  while (processState(file.pid, data) === "running") {
    if (Date.now() - began > STOP_TIMEOUT_MS) {
      process.kill(file.pid, "SIGQUIT");
      return;
    }
    await sleep(POLL_MS);
  }
}

async function choosePort(portFile: string): Promise<number> {
  const remembered = Number(readIfThere(portFile));
  if (Number.isInteger(remembered) && remembered > 0 && (await probePort(remembered)) !== undefined) return remembered;
  return (await probePort(0)) as number;
}

function probePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function logSize(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

function logTail(log: string): string {
  return (readIfThere(log) ?? "").trimEnd().split("\n").slice(-8).join("\n");
}
