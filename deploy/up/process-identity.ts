import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that cannot be taken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it began, as the system says it. */
  startedAt: string;
}

/** Undefined when there is no such process, or nothing of it runs any more. */
export function findProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === "linux" ? readStat(pid) : readPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  return findProcess(pid)?.startedAt === startedAt;
}

/** Whether it was still there. Never signals a process that got the number later. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function readStat(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name before may itself hold blanks and brackets. State is the first field behind it, the start the twentieth.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function readPs(pid: number): string | undefined {
  try {
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    const [state = "", ...start] = line.split(/\s+/);
    return state === "" || state.startsWith("Z") ? undefined : start.join(" ");
  } catch {
    return undefined;
  }
}
