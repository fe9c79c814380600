import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inheritedEnvironment } from "./config.ts";
import { LOG_TAIL_LINES, POLL_MS, READY_TIMEOUT_MS, STOP_TIMEOUT_MS } from "./limits.ts";
import { probe } from "./probe.ts";
import { findProcess, isRunning, type ProcessIdentity, signalProcess } from "./process-identity.ts";
import { mainOf, type ServiceName } from "./services.ts";

/** Who a process is and stays over its restarts. */
export interface ProcessSpec {
  service: ServiceName;
  /** Unique among processes of one suite, e.g. `execution-1`. */
  name: string;
  port: number;
  /** Added to the environment of this process. */
  env: Readonly<Record<string, string>>;
  /** Output is appended here. */
  logFile: string;
  /** In a session of its own, so that it outlives its starter. */
  detached?: boolean;
  /** Further arguments of Node, e.g. `--cpu-prof`. */
  nodeArguments?: readonly string[];
}

/** One process of a service, started again and again with the same identity. */
export interface ServiceProcess {
  readonly spec: ProcessSpec;
  readonly name: string;
  readonly url: string;
  /** Undefined while it does not run. */
  readonly identity: ProcessIdentity | undefined;
  /** Throws while it does not run. */
  readonly pid: number;
  /** Starts it and does not wait; nothing happens when it runs. `env` replaces variables for this run. */
  spawn(env?: Readonly<Record<string, string>>): void;
  /** Resolves when `/healthz` says that it serves. Rejects with the end of its log when it ended, or after `timeoutMs` (60 s). */
  waitUntilReady(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
  /** `spawn` and `waitUntilReady`. */
  start(): Promise<void>;
  /** SIGTERM, and waits for the end. Resolves with the exit code, null when it did not end by itself or is another's child. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  /** Everything that its runs have printed. */
  readLog(): string;
}

/** The handle of a process that need not run. `running` adopts one that was started by another process. */
export function createServiceProcess(spec: ProcessSpec, running?: ProcessIdentity): ServiceProcess {
  const url = `http://127.0.0.1:${spec.port}`;
  let identity = running;
  let exitCode: number | null = null;
  let exited: Promise<void> | undefined;
  const current = (): ProcessIdentity | undefined =>
    identity !== undefined && isRunning(identity) ? identity : undefined;

  function start(env: Readonly<Record<string, string>> = {}): void {
    if (current() !== undefined) return;
    mkdirSync(dirname(spec.logFile), { recursive: true });
    const output = openSync(spec.logFile, "a");
    const main = mainOf(spec.service);
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", ...(spec.nodeArguments ?? []), main],
      {
        env: {
          ...inheritedEnvironment(),
          HEDDLE_HOST: "127.0.0.1",
          HEDDLE_PORT: String(spec.port),
          ...spec.env,
          ...env,
        },
        stdio: ["ignore", output, output],
        detached: spec.detached === true,
      },
    );
    closeSync(output);
    if (child.pid === undefined) throw new Error(`${process.execPath} cannot be run`);
    exitCode = null;
    exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        exitCode = code;
        resolve();
      });
    });
    if (spec.detached === true) child.unref();
    identity = findProcess(child.pid);
  }

  /** Our own child has ended when Node has collected it; another's when the system says so. */
  async function ended(target: ProcessIdentity, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (isRunning(target)) {
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    await exited;
    return true;
  }

  async function endedEarly(): Promise<Error> {
    await exited;
    return notReady(`${spec.name} ended with code ${exitCode}`, spec.logFile);
  }

  const self: ServiceProcess = {
    spec,
    name: spec.name,
    url,
    get identity() {
      return current();
    },
    get pid() {
      const found = current();
      if (found === undefined) throw new Error(`${spec.name} does not run: start() it`);
      return found.pid;
    },
    spawn: start,
    async waitUntilReady({ timeoutMs = READY_TIMEOUT_MS, signal } = {}) {
      const deadline = performance.now() + timeoutMs;
      while (!(await probe(url))) {
        signal?.throwIfAborted();
        if (current() === undefined) throw await endedEarly();
        if (performance.now() > deadline) {
          throw notReady(`${spec.name} did not become ready within ${timeoutMs} ms`, spec.logFile);
        }
        await sleep(POLL_MS);
      }
      // Whoever answers at that port must be this process.
      if (current() === undefined) throw await endedEarly();
    },
    async start() {
      start();
      await self.waitUntilReady();
    },
    async stop() {
      const target = current();
      if (target === undefined) {
        // The system has said that it has ended; Node may not have collected its code yet.
        await exited;
        return exitCode;
      }
      signalProcess(target, "SIGTERM");
      // One that is paused gets the other signal only when it wakes.
      signalProcess(target, "SIGCONT");
      if (!(await ended(target, STOP_TIMEOUT_MS))) await self.kill();
      return exitCode;
    },
    async kill() {
      const target = current();
      if (target === undefined) return;
      signalProcess(target, "SIGKILL");
      await ended(target, STOP_TIMEOUT_MS);
    },
    pause() {
      const target = current();
      if (target !== undefined) signalProcess(target, "SIGSTOP");
    },
    resume() {
      const target = current();
      if (target !== undefined) signalProcess(target, "SIGCONT");
    },
    async restart() {
      await self.stop();
      await self.start();
    },
    readLog: () => readFileSync(spec.logFile, "utf8"),
  };
  return self;
}

function notReady(what: string, logFile: string): Error {
  const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  return new Error(`${what}; the end of ${logFile}:\n${tail}`);
}
