import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { collectLabel, parseCount, parseMachineStatus, parseTime } from "./options.ts";

type Add = (parent: Command, nameAndArguments: string, description: string) => Command;
type Started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

const load = () => import("./commands/machine.ts");
const loadHistory = () => import("./commands/machine-history.ts");

/** `heddle machine …`: a command with commands of its own. Machines are named by id, or as `<workflow>/<key>`. */
export function addMachineCommands(program: Command, add: Add, started: Started): void {
  const machine = program.command("machine").description("create state machines, send them events, look at them");

  add(machine, "create <workflow>", "create a machine of a published state machine, or publish a file first")
    .option("--key <key>", "business key: the same key gives the same machine")
    .option("--context <json>", "fields of its context: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--workflow-version <number>", "version to run (default: the active one)", parseCount)
    .option("--label <key=value>", "label to find it by later; repeatable", collectLabel)
    .option("--request-id <id>", "idempotency key: the same id creates once")
    .action((workflow: string, options, self: Command) =>
      started(self, async (context) => (await load()).create(context, workflow, options)),
    );

  add(machine, "send <machine> <event>", "send an event and print where the machine stands then")
    .option("--data <json>", "what comes with it: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--request-id <id>", "idempotency key: the same id is taken once")
    .action((name: string, event: string, options, self: Command) =>
      started(self, async (context) => (await load()).send(context, name, event, options)),
    );

  add(machine, "get <machine>", "show a machine as it is now").action((name: string, _options, self: Command) =>
    started(self, async (context) => (await load()).get(context, name)),
  );

  add(machine, "list", "list machines, newest first")
    .option("--workflow <id>", "only of this definition")
    .option("--status <status>", "only with this status", parseMachineStatus)
    .option("--state <name>", "only those in this state")
    .option("--label <key=value>", "only with this label; repeatable", collectLabel)
    .option("--limit <number>", "how many (default 20)", parseCount)
    .action((options, self: Command) => started(self, async (context) => (await load()).list(context, options)));

  add(machine, "watch <machine>", "print what happens in a machine until it ends")
    .option("--timeout <duration>", "how long to watch, e.g. 30s", parseTime)
    .action((name: string, options, self: Command) =>
      started(self, async (context) => (await loadHistory()).watch(context, name, options)),
    );

  add(machine, "history <machine>", "print everything that happened in a machine")
    .option("--limit <number>", "how many events (default: all)", parseCount)
    .option("--with-executions", "and in the executions that it has invoked, by time")
    .action((name: string, options, self: Command) =>
      started(self, async (context) => (await loadHistory()).history(context, name, options)),
    );

  for (const [name, description] of [
    ["suspend", "let events and timers wait until it is resumed"],
    ["resume", "let a suspended or failed machine go on"],
    ["remove", "end a machine, and what its states have invoked"],
  ] as const) {
    add(machine, `${name === "remove" ? "delete" : name} <machine>`, description)
      .option("--reason <text>", "why, for the history")
      .action((machineName: string, options, self: Command) =>
        started(self, async (context) => (await load())[name](context, machineName, options)),
      );
  }

  add(machine, "migrate <machine>", "move a machine to another version of its definition")
    .requiredOption("--to <version>", "version to move to", parseCount)
    .option("--state <old=new>", "a state that is called otherwise there; repeatable", collectLabel)
    .option("--dry-run", "only say what would become of it")
    .action((name: string, options, self: Command) =>
      started(self, async (context) => (await load()).migrate(context, name, options)),
    );
}
