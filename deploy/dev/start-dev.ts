import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface StartDevOptions {
  /** Default `.heddle` in the working directory. */
  dataDir?: string;
  /** Default 0: a free one. */
  port?: number;
  /** Further variables of deploy/dev/config.ts. */
  env?: Record<string, string>;
  /** Where the process's own output goes. Default: its errors to this process's stderr. */
  stderr?: "inherit" | "ignore";
  /** Gets each line of its standard output. */
  onLine?: (line: string) => void;
}

export interface DevProcess {
  url: string;
  pid: number;
  child: ChildProcess;
  /** SIGTERM, and the way to its end; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: nothing is flushed, nothing is said. */
  kill(): Promise<void>;
}

const READY = /heddle is ready at (http:\/\/\S+)/;
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** Starts the one-process suite as a process of its own and waits until it is ready. */
export async function startDev(options: StartDevOptions = {}): Promise<DevProcess> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    env: {
      ...process.env,
      HEDDLE_PORT: String(options.port ?? 0),
      ...(options.dataDir !== undefined && { HEDDLE_DATA_DIR: options.dataDir }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", options.stderr ?? "inherit"],
  });
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => {
      options.onLine?.(line);
      const found = READY.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the suite ended with code ${code} before it was ready`)));
  });
  return {
    url,
    pid: child.pid as number,
    child,
    async stop() {
      child.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      return code;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
