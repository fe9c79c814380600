import { readdirSync, realpathSync, rmSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { listBrokerProcesses, startOf } from "./processes.ts";
import { killProcess } from "./stop-process.ts";

/**
 * A folder in `parent` for brokers that are to live no longer than this process. Its name tells whose it is, so that
 * whatever a killed owner left can be found by `endRunsOfTheDead`.
 */
export function createRunDirectory(parent: string): string {
  mkdirSync(parent, { recursive: true });
  const dir = join(realpathSync(parent), `${process.pid}-${startMark(process.pid)}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Kills every broker that keeps its directory within the folder, and removes the folder. */
export async function endRun(dir: string): Promise<void> {
  for (const pid of listBrokerProcesses(`${dir}/`)) await killProcess(pid);
  rmSync(dir, { recursive: true, force: true });
}

/** Ends the runs in `parent` whose owners are dead. Resolves to their folders. */
export async function endRunsOfTheDead(parent: string): Promise<string[]> {
  const dead = listRuns(parent).filter(({ pid, mark }) => startMark(pid) !== mark);
  for (const { dir } of dead) await endRun(dir);
  return dead.map(({ dir }) => dir);
}

function listRuns(parent: string): { dir: string; pid: number; mark: string }[] {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return []; // nobody made one yet
  }
  return names.flatMap((name) => {
    const [, pid, mark] = /^(\d+)-(.+)$/.exec(name) ?? [];
    return pid === undefined || mark === undefined
      ? []
      : [{ dir: join(realpathSync(parent), name), pid: Number(pid), mark }];
  });
}

/** The start of a process in letters that a file name may have. */
function startMark(pid: number): string | undefined {
  return startOf(pid)?.replaceAll(/[^A-Za-z0-9]+/g, "-");
}
