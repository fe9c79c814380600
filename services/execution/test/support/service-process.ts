import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createGrpcTransport, createRpcClient, type RpcClient } from "@heddle/rpc";
import { findFreePort } from "@heddle/testing";

export interface ServiceProcessOptions {
  owner: string;
  databaseUrl: string;
  brokers: string;
  /** Where definitions and the scheduler answer. */
  dependencies: string;
  /** File that its log is appended to. */
  log: string;
  env?: Readonly<Record<string, string>>;
}

/** The service as its operators run it, in a process of its own that can be killed and started again at the same address. */
export interface ServiceProcess {
  readonly owner: string;
  /** Another one after each start: the one before still counts the pause to its next try to connect. */
  readonly client: RpcClient<typeof ExecutionService>;
  /** Resolves when it serves. @throws Error with the end of its log when it does not within 90 s */
  start(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it, however it stands, and the connections to it. */
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const TOPICS = fileURLToPath(new URL("../../../../deploy/topics.yaml", import.meta.url));
/** What Node has made of the sources is kept for the next start: most of the time to be ready goes there. */
const COMPILE_CACHE = join(tmpdir(), "heddle-test-compile-cache");
/** Until others have taken over: more than a killed member's session with the broker (10 s), with the work of a slow machine. */
export const PATIENCE = { timeout: 40_000, interval: 100 };
const READY_TIMEOUT_MS = 90_000;

export async function createServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { owner, databaseUrl, brokers, dependencies, log } = options;
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  let transport = createGrpcTransport(url);
  let client = createRpcClient(ExecutionService, transport);
  let kill: () => Promise<void> = async () => undefined;

  return {
    owner,
    get client() {
      return client;
    },
    async start() {
      const output = openSync(log, "a");
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
        stdio: ["ignore", output, output],
        env: {
          PATH: process.env["PATH"],
          NODE_COMPILE_CACHE: COMPILE_CACHE,
          DATABASE_URL: databaseUrl,
          KAFKA_BROKERS: brokers,
          HEDDLE_TOPICS_FILE: TOPICS,
          HEDDLE_OWNER: owner,
          HEDDLE_PORT: String(port),
          HEDDLE_DEFINITION_ADDRESS: dependencies,
          HEDDLE_SCHEDULER_ADDRESS: dependencies,
          HEDDLE_STATEMACHINE_ADDRESS: dependencies,
          ...options.env,
        },
      });
      closeSync(output);
      const exited = once(child, "exit");
      kill = async () => {
        child.kill("SIGKILL");
        await exited;
      };
      const deadline = performance.now() + READY_TIMEOUT_MS;
      while (!(await isHealthy(url))) {
        if (child.exitCode !== null || performance.now() > deadline) {
          throw new Error(`${owner} does not serve; the end of its log:\n${readFileSync(log, "utf8").slice(-2_000)}`);
        }
        await sleep(50);
      }
      transport.close();
      transport = createGrpcTransport(url);
      client = createRpcClient(ExecutionService, transport);
    },
    kill: () => kill(),
    async close() {
      await kill();
      transport.close();
    },
  };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
