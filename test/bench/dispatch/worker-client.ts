import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Starts the worker's process and waits until it has connected. */
export async function startWorkerProcess(address: string, slots: number, kind: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("worker-process.ts", import.meta.url)), [address, String(slots), kind]);
  await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the worker's process ended with ${code}`);
    }),
  ]);
  return child;
}

export async function stopWorkerProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill();
  await exited;
}
