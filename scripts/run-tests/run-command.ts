import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";

export interface CommandOptions {
  /** Program and arguments; the program is looked up on PATH. */
  readonly command: readonly [string, ...string[]];
  /** "show" passes output on as it comes; "keep" returns it, for steps that are only interesting when they fail. */
  readonly output: "show" | "keep";
  /** Longest time that the command may take. */
  readonly timeoutMs: number;
  /** Longest time without progress. Progress is a change of what this function returns. */
  readonly stall?: { readonly afterMs: number; progress(): number };
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that a kept command printed also goes to this file. */
  readonly logFile?: string;
}

export interface CommandResult {
  /** Undefined when the command was killed. */
  readonly exitCode: number | undefined;
  /** Why it was killed, or could not be started. */
  readonly fault: string | undefined;
  readonly output: string;
}

const MAX_KEPT_CHARS = 200_000;

/**
 * Runs a command in a process group of its own and always comes back: when time is up, the whole group is killed, and the
 * output pipes are abandoned even if a stray grandchild still holds them.
 */
export function runCommand(options: CommandOptions): Promise<CommandResult> {
  const [program, ...args] = options.command;
  const keep = options.output === "keep";
  const child = spawn(program, args, {
    stdio: ["ignore", keep ? "pipe" : "inherit", keep ? "pipe" : "inherit"],
    env: { ...process.env, ...options.env },
    detached: true,
  });
  let output = "";
  const log = options.logFile === undefined ? undefined : openLog(options.logFile);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-MAX_KEPT_CHARS);
      log?.write(text);
    });
  }
  return new Promise((resolve) => {
    let fault: string | undefined;
    const kill = (why: string): void => {
      fault ??= why;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => kill(`stopped after ${inWords(options.timeoutMs)}`), options.timeoutMs);
    const watch = watchProgress(options.stall, kill);
    const finish = (exitCode: number | undefined): void => {
      clearTimeout(timer);
      clearInterval(watch);
      // What it started and left behind in its group ends with it.
      killGroup(child.pid);
      child.stdout?.destroy();
      child.stderr?.destroy();
      log?.end();
      resolve({ exitCode: fault === undefined ? exitCode : undefined, fault, output });
    };
    child.once("error", (error) => {
      fault ??= `cannot be started: ${error.message}`;
      finish(undefined);
    });
    // `close` waits for the pipes, `exit` does not: leave stragglers a moment to print, then go on.
    child.once("exit", (code, signal) => {
      if (signal !== null) fault ??= `ended by ${signal}`;
      const late = setTimeout(() => finish(code ?? undefined), keep ? 2_000 : 0);
      child.once("close", () => {
        clearTimeout(late);
        finish(code ?? undefined);
      });
    });
  });
}

function watchProgress(stall: CommandOptions["stall"], kill: (why: string) => void): NodeJS.Timeout | undefined {
  if (stall === undefined) return undefined;
  let last = stall.progress();
  let lastChangeMs = performance.now();
  return setInterval(() => {
    const now = stall.progress();
    if (now !== last) {
      last = now;
      lastChangeMs = performance.now();
    } else if (performance.now() - lastChangeMs > stall.afterMs) {
      kill(`stopped: no test ended for ${inWords(stall.afterMs)}`);
    }
  }, 1_000);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}

function openLog(path: string): ReturnType<typeof createWriteStream> {
  mkdirSync(dirname(path), { recursive: true });
  return createWriteStream(path);
}

/** 90000 → "1 min 30 s". */
export function inWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const rest = Math.round(seconds % 60);
  return `${Math.floor(seconds / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}
