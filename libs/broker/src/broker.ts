import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BrokerDirectory,
  findBrokerProcess,
  logTail,
  openBrokerDirectory,
  prepareData,
  readIfThere,
  saysReady,
} from "./broker-directory.ts";
import { withFileLock } from "./file-lock.ts";
import { isFreePort } from "./free-port.ts";
import { installKafka } from "./install.ts";
import { PARTS } from "./installation.ts";
import { findJava } from "./java.ts";
import { classArchive } from "./jvm.ts";
import { launchBroker } from "./launch.ts";
import { brokerLimits, pollMs } from "./limits.ts";
import { parsePorts, type SecondListener } from "./server-properties.ts";
import { killProcess, signalProcess, stopProcess } from "./stop-process.ts";

export interface KafkaBrokerOptions {
  /** Holds data, settings and log of this one broker. Made if missing. */
  dir: string;
  /** Default: the port that the directory's broker had before, else any free one. */
  port?: number;
  /** Of the installation that it is started from; see `installKafka`, which is called when nothing is there. */
  installDir?: string;
  /** Broker settings over ours. They apply when it is started, not when a running one is adopted. */
  settings?: Readonly<Record<string, string | number>>;
  /** Beside the one in cleartext, on loopback too. */
  secondListener?: SecondListener | undefined;
  /** Told what takes seconds, before it is done. */
  onProgress?: (message: string) => void;
}

/** One broker, which is its own controller, on loopback. All calls are fine with a broker that does not run. */
export interface KafkaBroker {
  /** `127.0.0.1:port`: the same over all restarts. */
  readonly address: string;
  readonly port: number;
  readonly dir: string;
  /** Process id of the running broker. Throws when it does not run. */
  readonly pid: number;
  /** Starts it again after `stop` or `kill`: same port, same data. Resolves when it serves; at once when it runs. */
  start(): Promise<void>;
  /** SIGTERM, and waits until it is gone: 0.2 to 1.1 s. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. Started again within its session of 3 s it takes a few seconds longer to serve. */
  kill(): Promise<void>;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Kills it and removes its directory with all data. */
  purge(): Promise<void>;
}

/**
 * Starts a broker in a session of its own, so that neither the end of this process nor Ctrl-C ends it: whoever starts
 * next on the same directory adopts it. Rejects when it does not serve within 60 s, with the end of its log.
 */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const directory = openBrokerDirectory(options.dir);
  return createBroker(directory, await startIn(directory, options), options);
}

/** The broker that runs in the directory, whoever started it. Undefined when none does. */
export function findKafkaBroker(dir: string): KafkaBroker | undefined {
  if (!existsSync(dir)) return undefined;
  const directory = openBrokerDirectory(dir);
  if (findBrokerProcess(directory) === undefined) return undefined;
  const port = rememberedPort(directory);
  return port === undefined ? undefined : createBroker(directory, port, { dir });
}

function createBroker(directory: BrokerDirectory, port: number, options: KafkaBrokerOptions): KafkaBroker {
  const end = async (how: (pid: number) => Promise<void>): Promise<void> => {
    const pid = findBrokerProcess(directory);
    if (pid !== undefined) await how(pid);
  };
  const signal = (name: NodeJS.Signals): void => {
    const pid = findBrokerProcess(directory);
    if (pid !== undefined) signalProcess(pid, name);
  };
  const start = async (): Promise<void> => {
    await startIn(directory, { ...options, port });
  };
  return {
    address: `127.0.0.1:${port}`,
    port,
    dir: directory.root,
    get pid() {
      const pid = findBrokerProcess(directory);
      if (pid === undefined) throw new Error(`the Kafka broker of ${directory.root} does not run: start() it`);
      return pid;
    },
    start,
    stop: () => end(stopProcess),
    kill: () => end(killProcess),
    async restart() {
      await end(stopProcess);
      await start();
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async purge() {
      await end(killProcess);
      rmSync(directory.root, { recursive: true, force: true });
    },
  };
}

/** Adopts or starts the directory's broker, and resolves to its port. Of several processes one starts it. */
async function startIn(directory: BrokerDirectory, options: KafkaBrokerOptions): Promise<number> {
  return await withFileLock(directory.lock, async () => {
    const adopted = await adopt(directory);
    if (adopted !== undefined) return expectPort(directory, adopted, options.port);
    const { dir: installation } = await installKafka({ dir: options.installDir, onProgress: options.onProgress });
    const java = findJava();
    if (java === undefined) throw new Error("Java went away after Kafka was installed");
    prepareData(directory, join(installation, PARTS.formatted));
    const launch = (port?: number): Promise<number> =>
      launchBroker({
        installation,
        java,
        archive: { use: classArchive(java) },
        directory,
        port,
        settings: options.settings,
        secondListener: options.secondListener,
      });
    return await launch(options.port ?? (await findRememberedPort(directory)));
  });
}

/** The port of the running broker when it serves; undefined when none runs, or it ends instead. */
async function adopt(directory: BrokerDirectory): Promise<number | undefined> {
  const deadline = Date.now() + brokerLimits.readyMs;
  while (findBrokerProcess(directory) !== undefined) {
    if (saysReady(directory)) return rememberedPort(directory);
    if (Date.now() > deadline) {
      throw new Error(
        `the Kafka broker of ${directory.root} runs and did not serve within ${brokerLimits.readyMs} ms; the end of its log:\n${logTail(directory)}`,
      );
    }
    await sleep(pollMs);
  }
  return undefined;
}

function expectPort(directory: BrokerDirectory, port: number, wanted: number | undefined): number {
  if (wanted === undefined || wanted === port) return port;
  throw new Error(`the Kafka broker of ${directory.root} runs on port ${port}, not ${wanted}: stop it first`);
}

/** The port of the run before, unless somebody else took it meanwhile. */
async function findRememberedPort(directory: BrokerDirectory): Promise<number | undefined> {
  const port = rememberedPort(directory);
  return port !== undefined && (await isFreePort(port)) ? port : undefined;
}

function rememberedPort({ properties }: BrokerDirectory): number | undefined {
  return parsePorts(readIfThere(properties))?.port;
}
