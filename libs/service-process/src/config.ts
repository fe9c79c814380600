import { parseArgs } from "node:util";
import type { Environment } from "@heddle/config";
import { DomainError } from "@heddle/errors";

/** What a process was asked to do: `main.ts`, `main.ts check-config` or `main.ts migrate`. */
export type Command = "serve" | "check-config" | "migrate";

const COMMANDS: readonly Command[] = ["serve", "check-config", "migrate"];

/** The only look of a service's process at its environment. */
export function readEnvironment(): Environment {
  return process.env;
}

/** @throws DomainError `CONFIG_INVALID` for anything but one of the commands */
export function readCommand(args: readonly string[] = process.argv.slice(2)): Command {
  try {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
    const command = COMMANDS.find((known) => known === (positionals[0] ?? "serve"));
    if (command !== undefined && positionals.length <= 1) return command;
  } catch {
    // An option: there are none, and the message below says what there is.
  }
  throw new DomainError({
    kind: "invalid_argument",
    reason: "CONFIG_INVALID",
    message: `"${args.join(" ")}" is no command of this program; it has ${COMMANDS.join(", ")} (serve when none is given), and takes its settings from the environment`,
  });
}
