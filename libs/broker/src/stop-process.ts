import { setTimeout as sleep } from "node:timers/promises";
import { brokerLimits, pollMs } from "./limits.ts";
import { hasEnded } from "./processes.ts";

/** Asks the process to end and waits until nothing of it runs; by force after the limit. Fine with one that is gone. */
export async function stopProcess(pid: number): Promise<void> {
  signalProcess(pid, "SIGTERM");
  // One that is paused would get the other only when somebody wakes it.
  signalProcess(pid, "SIGCONT");
  const deadline = Date.now() + brokerLimits.stopMs;
  while (!hasEnded(pid)) {
    if (Date.now() > deadline) return await killProcess(pid);
    await sleep(pollMs);
  }
}

/** Ends the process at once, as a crash would, and waits until its files and sockets are free. */
export async function killProcess(pid: number): Promise<void> {
  signalProcess(pid, "SIGKILL");
  while (!hasEnded(pid)) await sleep(pollMs);
}

/** Whether there was such a process. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
