import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What `postmaster.pid` says. */
export interface PostmasterFile {
  pid: number;
  port: number;
  status: "starting" | "stopping" | "ready" | "standby" | "unknown";
}

/** Undefined when there is no such file, or one that is still being written. */
export function readPostmasterFile(dataDirectory: string): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDirectory, "postmaster.pid"), "utf8");
  } catch {
    return undefined;
  }
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const status = lines[7]?.trim();
  return {
    pid,
    port: Number(lines[3]) || 0,
    status:
      status === "starting" || status === "stopping" || status === "ready" || status === "standby" ? status : "unknown",
  };
}

/**
 * `dead` covers a number that another program has by now; `zombie` is a killed postmaster whose parent has not
 * collected it yet, which Postgres itself would take for a running one.
 */
export function processState(pid: number, dataDirectory: string): "running" | "zombie" | "dead" {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return "dead";
  }
  if (process.platform !== "linux") return "running";
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return "zombie";
    return workingDirectory(pid) === dataDirectory ? "running" : "dead";
  } catch {
    return "dead";
  }
}

/** Whether any process still works in the data directory: a killed postmaster's children linger for a moment. */
export function isInUse(dataDirectory: string): boolean {
  if (process.platform !== "linux") return false;
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && workingDirectory(Number(name)) === dataDirectory);
}

function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
