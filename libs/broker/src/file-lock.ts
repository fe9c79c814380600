import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { brokerLimits, pollMs } from "./limits.ts";
import { startOf } from "./processes.ts";

/**
 * Runs `work` while no other process (nor another call in this one) does so under the same path. The lock of a process
 * that died is taken over. Rejects when it cannot be had within the limit.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + brokerLimits.lockMs;
  while (!tryLock(path)) {
    if (Date.now() > deadline) {
      throw new Error(`${path} has been held by process ${read(path)} for ${brokerLimits.lockMs} ms: end that process`);
    }
    await sleep(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The owner is in the file from the first moment on, because the file is made elsewhere and linked into place. */
function tryLock(path: string): boolean {
  const owner = `${process.pid} ${startOf(process.pid)}`;
  const own = `${path}.${randomUUID()}`;
  writeFileSync(own, owner);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    removeIfDead(path);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

function removeIfDead(path: string): void {
  const owner = read(path);
  if (owner === undefined || isAlive(owner)) return;
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    // Somebody else may have taken it over between the look and the move: then it goes back.
    if (read(aside) !== owner) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(owner: string): boolean {
  const at = owner.indexOf(" ");
  return startOf(Number(owner.slice(0, at))) === owner.slice(at + 1);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // released meanwhile
  }
}
