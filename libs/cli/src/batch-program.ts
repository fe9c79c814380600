import { type Command, Option } from "commander";
import { collectCondition } from "./attribute-condition.ts";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { addResolutionOptions } from "./incident-program.ts";
import { collectLabel, parseCount, parseExecutionStatus, parseInstant, parsePercent } from "./options.ts";

type Add = (parent: Command, nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/batch.ts");

/** `heddle batch …`: a command with commands of its own. */
export function addBatchCommands(program: Command, add: Add, started: Started): void {
  const batch = program.command("batch").description("do the same to many executions");

  const create = add(
    batch,
    "create <operation>",
    "cancel, terminate, signal, suspend, resume, rerun or delete the executions that fit, or resolve their incidents",
  )
    .option("--workflow <id>", "only of this workflow")
    .option("--status <status>", "only with this status", parseExecutionStatus)
    .option("--label <key=value>", "only with this label; repeatable", collectLabel)
    .option(
      "--where <condition>",
      "on a search attribute, e.g. customer=acme or total>=100; repeatable",
      collectCondition,
    )
    .option("--started-after <time>", "only started then or later, e.g. 2030-01-31T08:00:00Z", parseInstant)
    .option("--started-before <time>", "only started before", parseInstant)
    .option("--parent <execution-id>", "only children of this execution")
    .option("--key <key>", "only with this business key")
    .option("--has-incidents", "only with a node that has failed and waits for a person")
    .option("--all", "all of the namespace, when there is no other condition")
    .option("--signal <name>", "for signal: its name")
    .option("--signal-key <key>", "for signal: only a wait for this key takes it")
    .option("--payload <json>", "for signal: what comes with it; JSON, @file.json, @file.yaml, or - for standard input")
    .option("--from-failed", "for rerun: only what had failed, and what comes after it")
    .option("--workflow-version <number>", "for rerun: version to run (default: that of each)", parseCount)
    .option("--failure-type <type>", "for resolve: only incidents with this failure")
    .option("--node <node-id>", "for resolve: only incidents of this node");
  addResolutionOptions(create, "for resolve: ")
    .option("--reason <text>", "why, for the histories")
    .option("--dry-run", "only say how many it would be about")
    .option("--rate <number>", "executions in a second, at most (default 100)", parseCount)
    .option("--canary <number>", "pause after so many, to look", parseCount)
    .option("--max-errors <percent>", "stop when more than this percentage fails, e.g. 5", parsePercent)
    .option("--request-id <id>", "idempotency key: the same id makes one batch")
    .option("--wait", "show the progress until it has ended or paused")
    .action((operation: string, options, self: Command) =>
      started(self, async (context) => (await load()).createBatch(context, operation, options)),
    );

  add(batch, "get <batch-id>", "show a batch with its progress and first failures").action(
    (id: string, _options, self: Command) => started(self, async (context) => (await load()).getBatch(context, id)),
  );

  add(batch, "list", "list batches, newest first")
    .addOption(new Option("--limit <number>", "how many (default 20)").argParser(parseCount))
    .action((options, self: Command) => started(self, async (context) => (await load()).listBatches(context, options)));

  for (const [name, description] of [
    ["pause", "let a batch begin nothing new"],
    ["resume", "let a paused batch go on, also beyond its canary"],
    ["cancel", "end a batch; what was done stays done"],
  ] as const) {
    const command = add(batch, `${name} <batch-id>`, description);
    if (name !== "resume") command.option("--reason <text>", "why, for those who look at it");
    command.action((id: string, options, self: Command) =>
      started(self, async (context) => (await load()).controlBatch(context, name, id, options)),
    );
  }
}
