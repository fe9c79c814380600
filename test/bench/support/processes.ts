import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Starts the echo worker in a process of its own and waits until the scheduler has welcomed it. */
export async function startEchoWorker(url: string, slots: number): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("worker-process.ts", import.meta.url)), [url, String(slots)]);
  await once(child, "message");
  return child;
}

export async function endProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const TICKS_PER_SECOND = 100;

/** Seconds of CPU, user and system, that a process and its threads have used; 0 where the system does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** The same for a process and all of its children, those that have ended included. */
export function treeCpuSeconds(pid: number): number {
  let total = cpuSeconds(pid);
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    total += (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
    for (const task of readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")) {
      if (task !== "") total += treeCpuSeconds(Number(task));
    }
  } catch {
    // It has just ended, or there is no /proc here.
  }
  return total;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
