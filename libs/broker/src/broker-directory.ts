import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listBrokerProcesses } from "./processes.ts";

/** Where one broker keeps everything that is its own. */
export interface BrokerDirectory {
  /** Absolute and real: the broker is recognized by it in the list of processes. */
  readonly root: string;
  readonly data: string;
  readonly properties: string;
  readonly log: string;
  /** The log of the run before. */
  readonly previousLog: string;
  readonly lock: string;
}

/** Makes the folder if it is missing. */
export function openBrokerDirectory(dir: string): BrokerDirectory {
  mkdirSync(dir, { recursive: true });
  const root = realpathSync(dir);
  return {
    root,
    data: join(root, "data"),
    properties: join(root, "server.properties"),
    log: join(root, "broker.log"),
    previousLog: join(root, "broker.previous.log"),
    lock: join(root, "lock"),
  };
}

/** Copies a formatted data directory beside and renames it: a crash in the middle leaves no half of one. */
export function prepareData(directory: BrokerDirectory, formatted: string): void {
  if (existsSync(directory.data)) return;
  const copy = mkdtempSync(`${directory.data}-`);
  try {
    cpSync(formatted, copy, { recursive: true });
    renameSync(copy, directory.data);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The process of the directory's broker, also of one that is still starting. Undefined when it does not run. */
export function findBrokerProcess({ properties }: BrokerDirectory): number | undefined {
  return listBrokerProcesses(properties)[0];
}

/** Whether the broker said, since it was started last, that it serves. The port alone may be somebody else's. */
export function saysReady({ log }: BrokerDirectory): boolean {
  return readIfThere(log).includes("Kafka Server started");
}

/** The last lines of the log. */
export function logTail({ log }: BrokerDirectory): string {
  return readIfThere(log).trimEnd().split("\n").slice(-8).join("\n");
}

/** Empty when the file is not there. */
export function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
