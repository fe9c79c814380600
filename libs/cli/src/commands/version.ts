import { readFileSync } from "node:fs";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

/** Version of this command, and of the Node that runs it. */
export async function version(context: CommandContext): Promise<ExitCode> {
  const heddle = readVersion();
  const node = process.versions.node;
  if (context.json) context.printJson({ heddle, node });
  else context.print(`heddle ${heddle} (Node ${node})`);
  return EXIT.ok;
}

export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
