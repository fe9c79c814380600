import { readdirSync, readFileSync } from "node:fs";

/** The environment variable that marks every process of a run, however far down. */
export const RUN_MARK = "HEDDLE_TEST_RUN";

export interface LeftRunning {
  readonly pid: number;
  /** Program and arguments, shortened. */
  readonly command: string;
}

/**
 * Processes that a run started and did not end: a server without a shutdown, a database that nobody stopped. They would
 * hold ports and directories of the next run. Found by the mark in their environment; on systems without /proc: none.
 */
export function findLeftRunning(run: string): LeftRunning[] {
  return listPids()
    .filter((pid) => pid !== process.pid && readProc(pid, "environ").split("\0").includes(`${RUN_MARK}=${run}`))
    .map((pid) => ({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 120) }))
    .filter(({ command }) => command !== ""); // a zombie: ended, and its parent only has not looked yet
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
