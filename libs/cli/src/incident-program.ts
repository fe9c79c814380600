import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { parseCount, parseInstant } from "./options.ts";

type Add = (nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/incidents.ts");

/** Nodes that have failed and wait for a person. */
export function addIncidentCommands(command: Add, started: Started): void {
  command(
    "incidents [execution-id]",
    "list the nodes that have failed and wait for a person, of one execution or of all, those that wait longest first",
  )
    .option("--workflow <id>", "only of this workflow")
    .option("--failure-type <type>", "only with this failure")
    .option("--node <node-id>", "only of this node")
    .option("--parent <execution-id>", "only of children of this execution")
    .option("--opened-after <time>", "only opened then or later, e.g. 2030-01-31T08:00:00Z", parseInstant)
    .option("--opened-before <time>", "only opened before", parseInstant)
    .option("--limit <number>", "how many (default 20)", parseCount)
    .action((id: string | undefined, options, self: Command) =>
      started(self, async (context) => (await load()).incidents(context, id, options)),
    );

  addResolutionOptions(
    command("resolve <execution-id> <node-id>", "say how to go on with a node that has failed and waits for a person"),
  )
    .option("--reason <text>", "why, for the history")
    .action((id: string, node: string, options, self: Command) =>
      started(self, async (context) => (await load()).resolve(context, id, node, options)),
    );
}

/** `of`: stands before each description. */
export function addResolutionOptions(command: Command, of = ""): Command {
  return command
    .option("--retry", `${of}try it again`)
    .option("--input <json>", `${of}try it again with this input: JSON, @file.json, @file.yaml, or -`)
    .option("--complete <json>", `${of}it has completed with this output: JSON, @file.json, @file.yaml, or -`)
    .option("--skip", `${of}go on without it`)
    .option("--fail", `${of}let it fail`);
}
