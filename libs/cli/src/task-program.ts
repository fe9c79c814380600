import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { collectText, parseCount, parseHumanTaskStatus } from "./options.ts";

type Add = (parent: Command, nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/tasks.ts");

/** `heddle tasks …`: what executions ask people. */
export function addTaskCommands(program: Command, add: Add, started: Started): void {
  const tasks = program.command("tasks").description("find and answer what executions ask people");

  add(tasks, "list", "list tasks that wait, by priority and then the oldest first")
    .option("--assignee <user>", "only of this person")
    .option("--group <group>", "only those that members of this group may take")
    .option("--status <status>", "only with this status (default: open and claimed)", parseHumanTaskStatus)
    .option("--all", "also those that are over")
    .option("--workflow <id>", "only of this workflow")
    .option("--execution <execution-id>", "only of this execution")
    .option("--limit <number>", "how many (default 20)", parseCount)
    .action((options, self: Command) => started(self, async (context) => (await load()).list(context, options)));

  add(tasks, "show <task-id>", "show a task: what is asked, of whom, by when, and what was said").action(
    (id: string, _options, self: Command) => started(self, async (context) => (await load()).show(context, id)),
  );

  const act = (nameAndArguments: string, description: string): Command =>
    add(tasks, nameAndArguments, description)
      .option("--user <user>", "who you are (default: USER)")
      .option("--request-id <id>", "idempotency key: the same id is taken once");

  act("claim <task-id>", "take a task, so that nobody else works on it").action((id: string, options, self: Command) =>
    started(self, async (context) => (await load()).claim(context, id, options)),
  );

  act("release <task-id>", "give a task back to its groups").action((id: string, options, self: Command) =>
    started(self, async (context) => (await load()).release(context, id, options)),
  );

  act("reassign <task-id>", "give a task to somebody else, whoever has it")
    .option("--to <user>", "who is to answer; without it nobody, so that its groups may take it")
    .option("--group <group>", "whose members may take it; repeatable (default: those that it has)", collectText)
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await load()).reassign(context, id, options)),
    );

  act("complete <task-id>", "answer a task; the first valid answer wins")
    .option("--answer <json>", "the answer: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--values <json>", "the proposed values, mended: as --answer")
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await load()).complete(context, id, options)),
    );

  act("comment <task-id> <text>", "add a comment").action((id: string, text: string, options, self: Command) =>
    started(self, async (context) => (await load()).comment(context, id, text, options)),
  );
}
