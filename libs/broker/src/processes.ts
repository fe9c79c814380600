import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The class that a broker's JVM is started with; the path of its server.properties follows. */
export const BROKER_CLASS = "kafka.Kafka";

/**
 * The process ids of brokers whose server.properties has a path that begins with `prefix`. Looking for the process itself
 * instead of trusting a pid file finds also one whose starter was killed before it could write the file, and never one
 * that got the number of a dead one.
 */
export function listBrokerProcesses(prefix: string): number[] {
  if (process.platform !== "linux") return listByPs(` ${BROKER_CLASS} ${prefix}`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProc(pid, "cmdline").includes(`\0${BROKER_CLASS}\0${prefix}`));
}

/** Whether nothing of the process runs any more: it is gone, or it only waits for its parent to look. */
export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  if (process.platform !== "linux")
    return ps(["-p", String(pid), "-o", "stat="])
      .trim()
      .startsWith("Z");
  const stat = readProc(pid, "stat");
  if (stat === "") return true;
  // The first thread of a killed JVM can be a zombie while others still hold files and sockets.
  return afterName(stat).startsWith("Z") && countThreads(pid) <= 1;
}

/** What tells a process from a later one with the same id. Undefined when it is gone. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return ps(["-p", String(pid), "-o", "lstart="]).trim() || undefined;
  return afterName(readProc(pid, "stat")).split(" ")[19];
}

/** The fields of /proc/PID/stat behind the name, which may itself hold blanks and brackets: state is the first. */
function afterName(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2);
}

function countThreads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0; // gone meanwhile
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // gone meanwhile
  }
}

function listByPs(part: string): number[] {
  return ps(["-A", "-ww", "-o", "pid=,command="])
    .split("\n")
    .filter((line) => line.includes(part))
    .map((line) => Number.parseInt(line, 10));
}

function ps(args: readonly string[]): string {
  try {
    return execFileSync("ps", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return ""; // it says by its exit code that there is no such process
  }
}
