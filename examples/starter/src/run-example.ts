import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDev } from "@heddle/dev";
import { type Client, createClient } from "@heddle/sdk";
import { createOutput, type ExampleOutput } from "./output.ts";

export interface ExampleOptions {
  /** Variables for the dev process of this example, see deploy/dev/config.ts. Not used with HEDDLE_ADDRESS. */
  env?: Record<string, string>;
}

/** What an example works with. */
export interface Example {
  client: Client;
  address: string;
  output: ExampleOutput;
  /** Publishes a definition file; prints its warnings. */
  publish(path: string | URL): Promise<void>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Runs an example against the server at HEDDLE_ADDRESS, or against a dev process of its own on a free port that ends with
 * it. Its data stays in HEDDLE_DATA_DIR, by default `.heddle/examples`, so that the second start is quicker.
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
    const address = process.env["HEDDLE_ADDRESS"] || (await startOwn(options, closers));
    const client = createClient({ address });
    closers.push(() => client.close());
    await work({ client, address, output, signal: interrupt.signal, publish: (path) => publish(client, path) });
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
    if (!interrupt.signal.aborted) console.error(error);
  } finally {
    for (const close of closers.reverse()) await close();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

async function startOwn({ env = {} }: ExampleOptions, closers: (() => unknown)[]): Promise<string> {
  const dataDir = process.env["HEDDLE_DATA_DIR"] || join(ROOT, ".heddle", "examples");
  const dev = await startDev({ dataDir, port: 0, env });
  closers.push(() => dev.stop());
  return dev.url;
}

async function publish(client: Client, path: string | URL): Promise<void> {
  const source = await readFile(path, "utf8");
  const { findings } = await client.publish({ source, fileName: basename(String(path)) });
  for (const { message, line, column } of findings) console.error(`${String(path)}:${line}:${column}: ${message}`);
}
