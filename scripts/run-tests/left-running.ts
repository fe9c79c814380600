import { readdirSync, readFileSync } from "node:fs";

/** The environment variable that marks every process of a run, however far down. */
export const RUN_MARK = "HEDDLE_TEST_RUN";

export interface LeftRunning {
  readonly pid: number;
  /** Program and arguments, shortened. */
  readonly command: string;
}

/**
 * Part of the command of a database server that all test runs of an account share: the last of them stops it, which need
 * not be this one.
 */
const SHARED_SERVER = "heddle-tests-";

/**
 * Processes that a run started and did not end: a server without a shutdown, a database that nobody stopped. They would
 * hold ports and directories of the next run. Found by the mark in their environment; on systems without /proc: none.
 */
export function findLeftRunning(run: string): LeftRunning[] {
  const isShared = (pid: number): boolean => readProc(pid, "cmdline").includes(SHARED_SERVER);
  return listPids()
    .filter((pid) => pid !== process.pid && readProc(pid, "environ").split("\0").includes(`${RUN_MARK}=${run}`))
    .filter((pid) => !isShared(pid) && !isShared(parentOf(pid)))
    .map((pid) => ({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 120) }))
    .filter(({ command }) => command !== ""); // a zombie: ended, and its parent only has not looked yet
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readProc(pid, "status"))?.[1] ?? 0);
}

function listPids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // not Linux
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // ended meanwhile, or somebody else's
  }
}
