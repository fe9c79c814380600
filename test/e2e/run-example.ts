import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startEmbeddedPostgres } from "@heddle/store";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const EXAMPLES = join(ROOT, "examples");
const run = promisify(execFile);

export interface ExampleRunner {
  /** Runs an example as a person would, on free ports and with no key. @returns what it prints */
  run(name: string, args?: string[], env?: Record<string, string>): Promise<string>;
  /** The same with `--json`. */
  resultOf<T>(name: string, env?: Record<string, string>): Promise<T>;
  dispose(): Promise<void>;
}

/** One data folder for all: the first example fills it, the others start on what is there. */
export async function createExampleRunner(): Promise<ExampleRunner> {
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-examples-"));
  const runner: ExampleRunner = {
    async run(name, args = [], env = {}) {
      const { HEDDLE_ADDRESS: _, OPENAI_API_KEY: _o, ANTHROPIC_API_KEY: _a, ...inherited } = process.env;
      const { stdout } = await run(process.execPath, [join(EXAMPLES, name, "main.ts"), ...args], {
        env: { ...inherited, HEDDLE_DATA_DIR: dataDir, ...env },
        maxBuffer: 16 * 1024 * 1024,
        timeout: 100_000,
      });
      return stdout;
    },
    async resultOf<T>(name: string, env: Record<string, string> = {}) {
      return JSON.parse(await runner.run(name, ["--json"], env)) as T;
    },
    async dispose() {
      const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "postgres") });
      await postgres.stop();
      for (const path of [postgres.dataPath, dataDir]) await rm(path, { recursive: true, force: true });
    },
  };
  return runner;
}

export async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(EXAMPLES, ...path), "utf8")) as T;
}
