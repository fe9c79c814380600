import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli-error.ts";
import { inheritedEnvironment } from "../config.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

export interface DevOptions {
  port?: number;
  dataDir?: string;
  eventLog?: string;
  /** Hosts that the tool http_request may reach although they are private. */
  allowHttp?: string[];
  agents?: string;
}

const MAIN = fileURLToPath(new URL("../../../../deploy/dev/main.ts", import.meta.url));

/** Runs all services in one process until Ctrl-C; that drains: work in hand is finished, everything else is kept. */
export async function dev(context: CommandContext, options: DevOptions): Promise<ExitCode> {
  if (!existsSync(MAIN)) {
    throw new CliError(`${MAIN} is missing: \`heddle dev\` needs a checkout of the repository`, {
      exitCode: EXIT.notFound,
      reason: "DEV_NOT_INSTALLED",
    });
  }
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    stdio: "inherit",
    env: inheritedEnvironment(environmentOf(options)),
  });
  // Ctrl-C in a terminal reaches the child by itself; it must not get it twice, as the second one means "at once".
  const { signal } = context.io;
  const forward = (): void => {
    const fromTerminal = (signal.reason as { by?: string }).by === "SIGINT" && process.stdin.isTTY;
    if (!fromTerminal) child.kill("SIGTERM");
  };
  signal.addEventListener("abort", forward, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    // A server that was asked to end, and did so in order, is a success.
    if (code === 0) return EXIT.ok;
    throw new CliError(code === null ? "the server was killed" : `the server ended with code ${code}`, {
      exitCode: EXIT.unavailable,
      reason: "DEV_ENDED",
    });
  } finally {
    signal.removeEventListener("abort", forward);
  }
}

/** The flags as the variables that deploy/dev/config.ts reads. */
function environmentOf({ port, dataDir, eventLog, allowHttp, agents }: DevOptions): Record<string, string> {
  const given = {
    HEDDLE_PORT: port === undefined ? undefined : String(port),
    HEDDLE_DATA_DIR: dataDir,
    HEDDLE_EVENT_LOG: eventLog,
    HEDDLE_HTTP_ALLOW: allowHttp?.join(","),
    HEDDLE_AGENTS_FILE: agents,
  };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
