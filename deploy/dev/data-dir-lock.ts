import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DomainError } from "@heddle/errors";

/** Removing what a dead process left, and being second to do so, takes two. */
const MAX_ATTEMPTS = 3;

/** Who works on a data directory. */
export interface DataDirHolder {
  pid: number;
  url: string;
}

export interface DataDirLock {
  /** Says where the suite can be reached, for whoever comes second. */
  setUrl(url: string): void;
  release(): void;
}

/**
 * One suite per data directory: two would take partitions from each other. A file left by a process that has died is
 * taken over; whether a pid still lives is asked of the system, and that it is one of ours of its command line.
 */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, "dev.json");
  const describe = (url: string): string => `${JSON.stringify({ pid: process.pid, url })}\n`;
  for (let attempt = 1; ; attempt++) {
    try {
      // Made and written by one call that fails when the file is there: of two starts at the same instant one is second.
      writeFileSync(path, describe(""), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST" || attempt === MAX_ATTEMPTS) throw error;
    }
    const holder = findHolder(path);
    if (holder !== undefined) throw dataDirInUse(dataDir, holder);
    rmSync(path, { force: true });
  }
  return {
    setUrl: (url) => writeFileSync(path, describe(url)),
    release: () => rmSync(path, { force: true }),
  };
}

function dataDirInUse(dataDir: string, holder: DataDirHolder): DomainError {
  return new DomainError({
    kind: "already_exists",
    reason: "DATA_DIR_IN_USE",
    message: `a suite with pid ${holder.pid} already works on ${dataDir}${holder.url === "" ? "" : ` at ${holder.url}`}: use that one, stop it, or set HEDDLE_DATA_DIR`,
    metadata: { pid: String(holder.pid), url: holder.url },
  });
}

function findHolder(path: string): DataDirHolder | undefined {
  let holder: DataDirHolder;
  try {
    holder = JSON.parse(readFileSync(path, "utf8")) as DataDirHolder;
  } catch {
    return undefined;
  }
  return holder.pid !== process.pid && isSuite(holder.pid) ? holder : undefined;
}

function isSuite(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return false;
  }
  try {
    // A pid is used again sooner or later, and a zombie still has one.
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return commandLine.includes("dev/main.ts");
  } catch {
    // No /proc here (macOS), or the process has just gone: the signal above has decided.
    return process.platform !== "linux";
  }
}
