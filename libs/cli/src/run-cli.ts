import type { TlsOptions } from "@heddle/rpc";
import type { CliClient } from "./client.ts";
import type { CliConfig } from "./config.ts";
import { createContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { runProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

export interface CliOptions {
  /** Without the paths of node and of the script. */
  argv: readonly string[];
  io: CliIo;
  config: CliConfig;
  /** Connects to an address; default: over the network. */
  client?(address: string, tls: TlsOptions): Promise<CliClient>;
}

/** Runs one command and gives its exit code. Says what goes wrong, and never throws. */
export function runCli({ argv, io, config, client = connect }: CliOptions): Promise<ExitCode> {
  return runProgram(argv, {
    io,
    async withContext(flags, run) {
      const context = createContext({ io, config, flags, client });
      try {
        return await run(context);
      } catch (error) {
        return reportError(error, context);
      } finally {
        await context.close();
      }
    },
  });
}

async function connect(address: string, tls: TlsOptions): Promise<CliClient> {
  // The RPC libraries are most of what the command loads: help, validate and version do without.
  const { createCliClient } = await import("./client.ts");
  return createCliClient(address, tls);
}
