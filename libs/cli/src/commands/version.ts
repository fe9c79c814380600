// Imported and not read: in a bundle there is no file beside the program.
import manifest from "../../package.json" with { type: "json" };
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
  return manifest.version;
}
