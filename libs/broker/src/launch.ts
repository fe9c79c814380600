import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerDirectory, logTail, saysReady } from "./broker-directory.ts";
import { findFreePort } from "./free-port.ts";
import type { Java } from "./java.ts";
import { javaArguments } from "./jvm.ts";
import { brokerLimits, maxPortAttempts, pollMs } from "./limits.ts";
import { BROKER_CLASS } from "./processes.ts";
import { formatProperties, type SecondListener, serverSettings } from "./server-properties.ts";

export interface LaunchOptions {
  /** Folder of the installation. */
  installation: string;
  java: Java;
  /** The class archive to start from, or the one to write when the broker ends. */
  archive: { use: string } | { write: string };
  directory: BrokerDirectory;
  /** This port or none. */
  port?: number;
  /** Over those of `serverSettings`. */
  settings?: Readonly<Record<string, string | number>>;
  secondListener?: SecondListener | undefined;
}

/** What the broker says when somebody has one of its ports. */
const PORT_TAKEN = /Address already in use|Socket server failed to bind/;
/** What it says when a killed one has not let go of the data yet. */
const DATA_IN_USE = /Failed to acquire lock on file \.lock/;

/** Starts the broker of a prepared directory and resolves to its port when it serves. */
export async function launchBroker(options: LaunchOptions): Promise<number> {
  const { directory } = options;
  const deadline = Date.now() + brokerLimits.readyMs;
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const fault = await run(options, port, deadline);
    if (fault === undefined) return port;
    const tail = logTail(directory);
    const taken = PORT_TAKEN.test(tail);
    // With a port of our choice, or when only the controller's was taken, others may do.
    const again = (taken && attempt < maxPortAttempts) || DATA_IN_USE.test(tail);
    if (!again || Date.now() > deadline) {
      const remedy = taken ? `port ${port} is taken: free it, or leave it out to have one chosen` : `see its log`;
      throw new Error(`Kafka in ${directory.root} ${fault} (${remedy}); the end of ${directory.log}:\n${tail}`);
    }
    await sleep(pollMs);
  }
}

/** Runs one attempt. Resolves to undefined when the broker serves, else to what went wrong. */
async function run(options: LaunchOptions, port: number, deadline: number): Promise<string | undefined> {
  const { installation, java, archive, directory, settings } = options;
  const controllerPort = await findFreePort();
  const place = { port, controllerPort, dataDir: directory.data, secondListener: options.secondListener };
  writeFileSync(directory.properties, formatProperties({ ...serverSettings(place), ...settings }));
  if (existsSync(directory.log)) renameSync(directory.log, directory.previousLog);
  const output = openSync(directory.log, "w");
  const child = spawn(java.path, javaArguments(installation, archive, [BROKER_CLASS, directory.properties]), {
    cwd: installation,
    // A session of its own: Ctrl-C in a terminal is for whoever started it, who then decides.
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let ended: string | undefined;
  child.once("error", (error) => (ended = `could not be started: ${error.message}`));
  child.once("exit", (code, signal) => (ended = `ended at once with ${signal ?? `exit code ${code}`}`));
  while (ended === undefined && !saysReady(directory)) {
    if (Date.now() > deadline) {
      child.kill("SIGKILL");
      return `did not serve within ${brokerLimits.readyMs} ms`;
    }
    await sleep(pollMs);
  }
  child.unref();
  return ended;
}
