import { type Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { parseCount, parseInstant, parseTime } from "./options.ts";

type Add = (parent: Command, nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/schedule.ts");

/** `heddle schedule …`: a command with commands of its own. */
export function addScheduleCommands(program: Command, add: Add, started: Started): void {
  const schedule = program.command("schedule").description("start workflows at given times");

  add(schedule, "create <schedule-id>", "create a schedule: one of --cron, --every and --at")
    .requiredOption("--workflow <id>", "workflow to start, in its active version")
    .option("--cron <expression>", 'e.g. "0 2 * * *"; six fields have seconds first')
    .option("--every <duration>", "fixed distance, e.g. 15m", parseTime)
    .option("--at <time>", "once, e.g. 2030-01-31T08:00:00Z", parseInstant)
    .option("--time-zone <name>", "of --cron, e.g. Europe/Berlin (default UTC)")
    .option("--offset <duration>", "how far the times of --every are moved", parseTime)
    .option("--jitter <duration>", "each start is later by a part of this", parseTime)
    .option("--start-at <time>", "no start before", parseInstant)
    .option("--end-at <time>", "no start after", parseInstant)
    .option("--max-starts <number>", "then it is done", parseCount)
    .addOption(
      new Option("--overlap <policy>", "when the start before still runs (default skip)").choices([
        "skip",
        "buffer_one",
        "allow",
        "cancel_other",
      ]),
    )
    .option(
      "--catch-up <duration>",
      "how far back missed starts follow after an outage (default: not at all)",
      parseTime,
    )
    .option("--input <json>", "input of each start: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--paused", "create it paused")
    .option("--request-id <id>", "idempotency key: the same id creates once")
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await load()).create(context, id, options)),
    );

  add(schedule, "list", "list the schedules, those that definitions declare included").action(
    (_options, self: Command) => started(self, async (context) => (await load()).list(context)),
  );

  for (const [name, description] of [
    ["get", "show a schedule and what became of its times"],
    ["pause", "leave out all times until it is resumed"],
    ["resume", "let a paused schedule go on"],
  ] as const) {
    add(schedule, `${name} <schedule-id>`, description).action((id: string, _options, self: Command) =>
      started(self, async (context) => (await load())[name](context, id)),
    );
  }

  add(schedule, "delete <schedule-id>", "delete a schedule; what it started goes on").action(
    (id: string, _options, self: Command) => started(self, async (context) => (await load()).remove(context, id)),
  );
}
