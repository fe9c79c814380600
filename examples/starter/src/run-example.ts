import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDev } from "@heddle/dev";
import { type Client, createClient } from "@heddle/sdk";
import { startProcess } from "@heddle/up";
import { createOutput, type ExampleOutput } from "./output.ts";

export interface ExampleOptions {
  /** Variables for the built-in worker that runs the steps of this example, see services/worker/src/config.ts. */
  env?: Record<string, string>;
}

/** What an example works with. */
export interface Example {
  client: Client;
  /** How a worker of the example's own gets there: HEDDLE_ADDRESS and HEDDLE_NAMESPACE. */
  workerEnv: Record<string, string>;
  output: ExampleOutput;
  /** Publishes a definition file; prints its warnings. */
  publish(path: string | URL): Promise<void>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

const NAMESPACE = "default";
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What an example talks to. */
interface Server {
  address: string;
  namespace: string;
}

/**
 * Runs an example against the server at HEDDLE_ADDRESS, with a built-in worker of its own in a namespace of its own; or
 * against a dev process on a free port that ends with it. Data stays in HEDDLE_DATA_DIR, by default `.heddle/examples`,
 * so that the second start is quicker.
 * Sets the exit code of the process: 1 when `work` throws, 130 after Ctrl-C.
 */
export async function runExample(
  work: (example: Example) => Promise<void>,
  options: ExampleOptions = {},
): Promise<void> {
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(new Error("interrupted"));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const closers: (() => unknown)[] = [];
  const output = createOutput(process.stdout, process.argv.includes("--json"));
  try {
    const address = process.env["HEDDLE_ADDRESS"];
    const server = address ? await joinServer(address, options, closers) : await startOwn(options, closers);
    if (address) output.print(output.style.dim(`at ${address}, in the namespace ${server.namespace}`));
    const client = createClient(server);
    closers.push(() => client.close());
    const workerEnv = { HEDDLE_ADDRESS: server.address, HEDDLE_NAMESPACE: server.namespace };
    await work({ client, workerEnv, output, signal: interrupt.signal, publish: (path) => publish(client, path) });
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
    if (!interrupt.signal.aborted) console.error(error);
  } finally {
    for (const close of closers.reverse()) await close();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function dataDirectory(): string {
  return process.env["HEDDLE_DATA_DIR"] || join(ROOT, ".heddle", "examples");
}

async function startOwn({ env = {} }: ExampleOptions, closers: (() => unknown)[]): Promise<Server> {
  const dev = await startDev({ dataDir: dataDirectory(), port: 0, env: { ...env, HEDDLE_NAMESPACE: NAMESPACE } });
  closers.push(() => dev.stop());
  return { address: dev.url, namespace: NAMESPACE };
}

/** The server's own workers know nothing of the agents and local services of the example: they must not get its tasks. */
async function joinServer(address: string, { env = {} }: ExampleOptions, closers: (() => unknown)[]): Promise<Server> {
  const namespace = process.env["HEDDLE_NAMESPACE"] || `example-${randomBytes(3).toString("hex")}`;
  const worker = await startProcess({
    service: "worker",
    logDir: join(dataDirectory(), "logs"),
    env: { ...env, HEDDLE_ADDRESS: address, HEDDLE_NAMESPACE: namespace },
  });
  closers.push(() => worker.stop());
  return { address, namespace };
}

async function publish(client: Client, path: string | URL): Promise<void> {
  const source = await readFile(path, "utf8");
  const { findings } = await client.publish({ source, fileName: basename(String(path)) });
  for (const { message, line, column } of findings) console.error(`${String(path)}:${line}:${column}: ${message}`);
}
