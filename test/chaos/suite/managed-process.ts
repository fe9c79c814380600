import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What to run; asked for again at each start, as a worker has another id each time. */
export interface Command {
  /** A TypeScript file and its arguments. */
  file: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface ManagedProcessOptions {
  name: string;
  /** A worker's lease is longer than a service's: it must be paused for longer. */
  kind: "service" | "worker";
  /** Its output goes to `<name>.log` in there. */
  logs: string;
  /** @param incarnation from 1, counting starts */
  command(incarnation: number): Command;
  /** Answers with 200 once it serves; without it nothing is waited for. */
  healthUrl?: string;
}

/** One process of the suite under test, which is killed, paused and started again. */
export interface ManagedProcess {
  readonly name: string;
  readonly kind: ManagedProcessOptions["kind"];
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends that nobody asked for, in words. It is started again after each. */
  readonly collapses: readonly string[];
  start(): void;
  /** Resolves when it serves. @throws Error with the end of its log when it does not within `timeoutMs` */
  ready(timeoutMs: number): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** SIGTERM, and SIGKILL when that takes more than 20 s. Resolves with the exit code; null after a kill. */
  stop(): Promise<number | null>;
  /** Memory of the process, bytes; undefined while it does not run, or where the system does not tell. */
  residentBytes(): number | undefined;
}

const RESTART_DELAY_MS = 300;
const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_LINES = 15;

export function manageProcess(options: ManagedProcessOptions): ManagedProcess {
  const { name, kind, logs, command, healthUrl } = options;
  const logPath = join(logs, `${name}.log`);
  const collapses: string[] = [];
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  let incarnation = 0;
  /** Whether it should run: an end then is a collapse. */
  let isWanted = false;

  function start(): void {
    if (child !== undefined) return;
    isWanted = true;
    incarnation += 1;
    const { file, args = [], env } = command(incarnation);
    const log = openSync(logPath, "a");
    const mine = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    child = mine;
    exited = new Promise((resolve) => {
      mine.once("exit", (code, signal) => {
        if (child === mine) child = undefined;
        resolve(code);
        if (!isWanted) return;
        collapses.push(`${name} ended by itself (${signal ?? `code ${code}`})`);
        setTimeout(() => isWanted && start(), RESTART_DELAY_MS);
      });
    });
  }

  function signal(which: NodeJS.Signals): void {
    child?.kill(which);
  }

  return {
    name,
    kind,
    get pid() {
      return child?.pid;
    },
    collapses,
    start,
    async ready(timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      while (healthUrl !== undefined && !(await isHealthy(healthUrl))) {
        if (performance.now() > deadline) {
          throw new Error(`${name} did not serve within ${timeoutMs} ms; the end of ${logPath}:\n${tailOf(logPath)}`);
        }
        await sleep(20);
      }
    },
    async kill() {
      isWanted = false;
      signal("SIGKILL");
      await exited;
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async stop() {
      isWanted = false;
      signal("SIGCONT");
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), STOP_TIMEOUT_MS);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    residentBytes() {
      try {
        const status = readFileSync(`/proc/${child?.pid}/status`, "utf8");
        const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
        return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
      } catch {
        return undefined;
      }
    },
  };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

function tailOf(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
}
