import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";
import type { ProcessSpec } from "./service-process.ts";

/** What `make up` has started, for the `make up` and `make down` that come later. */
export interface UpState {
  /** The `make up` itself while it is at work. */
  starter: ProcessIdentity | undefined;
  processes: { spec: Pick<ProcessSpec, "service" | "name" | "port" | "logFile">; identity: ProcessIdentity }[];
  /** Folders of the servers that it has started; undefined for those that were there. */
  postgres: { dataDir: string } | undefined;
  kafka: { dir: string } | undefined;
}

/** Undefined when nothing is up, or the file was cut off by a crash of the machine: then nothing of it runs either. */
export function readState(path: string): UpState | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as UpState;
  } catch {
    return undefined;
  }
}

/** Replaced as a whole: whoever reads it meanwhile sees the one before. */
export function writeState(path: string, state: UpState): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(next, path);
}

/** Made by one call that fails when the file is there: of two starts at the same instant one is second. */
export function claimState(path: string, state: UpState): boolean {
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, `${JSON.stringify(state, undefined, 2)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

export function removeState(path: string): void {
  rmSync(path, { force: true });
}
