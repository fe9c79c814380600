import { type Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { collectText, parseCount, parseTime } from "./options.ts";

type Add = (nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/rerun.ts");

/** Of what is not started nothing can be followed. */
const FOLLOWING = ["wait", "watch", "timeout"];

/** Commands that run an execution, or parts of it, once more. */
export function addSteeringCommands(add: Add, started: Started): void {
  const follow = (command: Command): Command =>
    command
      .option("--request-id <id>", "idempotency key: the same id starts once")
      .option("--wait", "wait for the end and print the output")
      .option("--watch", "wait for the end and show it live")
      .option("--timeout <duration>", "how long to wait, e.g. 30s; the execution goes on", parseTime)
      .addOption(new Option("--dry-run", "start nothing: say what would run again, and why").conflicts(FOLLOWING));

  follow(
    add("rerun <execution-id>", "run an execution again, as a new one, from its start or from some nodes on")
      .option("--from <node>", "run this node again and everything after it, keep the rest; repeatable", collectText)
      .option("--failed", "run again what has failed; keep what came through")
      .option("--workflow-version <number>", "version to run (default: the same)", parseCount),
  ).action((id: string, options, self: Command) =>
    started(self, async (context) => (await load()).rerun(context, id, options)),
  );

  follow(
    add("fork <execution-id>", "run an execution again with another input or version, and keep what that leaves alone")
      .option("--input <json>", "input as JSON, @file.json, @file.yaml, or - for standard input")
      .option("--input-file <file>", "file with the input, JSON or YAML")
      .option(
        "--from <node>",
        "run this node again and everything after it (default: what reads the difference)",
        collectText,
      )
      .option("--workflow-version <number>", "version to run (default: the same)", parseCount),
  ).action((id: string, options, self: Command) =>
    started(self, async (context) => (await load()).fork(context, id, options)),
  );

  add(
    "diff <execution-id> <other-execution-id>",
    "say in which nodes two executions differ: input, output, end, attempts",
  ).action((before: string, after: string, _options, self: Command) =>
    started(self, async (context) => (await import("./commands/diff.ts")).diff(context, before, after)),
  );

  add("reset <execution-id>", "begin nodes afresh in an execution that has not ended, and everything after them")
    .requiredOption("--from <node>", "node to begin with; repeatable", collectText)
    .option("--reason <text>", "why, for the history")
    .option("--request-id <id>", "idempotency key: the same id resets once")
    .option("--dry-run", "change nothing: say what would begin afresh, and why")
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await load()).reset(context, id, options)),
    );
}
