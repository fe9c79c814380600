import { Command, CommanderError, Option } from "commander";
import { collectAttribute, collectCondition } from "./attribute-condition.ts";
import { addIncidentCommands } from "./incident-program.ts";
import { addBatchCommands } from "./batch-program.ts";
import { readVersion } from "./commands/version.ts";
import type { CommandContext, GlobalFlags } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { addMachineCommands } from "./machine-program.ts";
import { addSteeringCommands } from "./steering-program.ts";
import { addTaskCommands } from "./task-program.ts";
import { addScheduleCommands } from "./schedule-program.ts";
import {
  collectLabel,
  collectText,
  parseBrokers,
  parseCount,
  parseExecutionStatus,
  parseFinishedPolicy,
  parsePort,
  parsePriority,
  parseRunningPolicy,
  parseTime,
} from "./options.ts";

export interface ProgramOptions {
  io: CliIo;
  /** Makes the context of the command that was asked for, and closes it behind it. */
  withContext(flags: GlobalFlags, run: (context: CommandContext) => Promise<ExitCode>): Promise<ExitCode>;
}

/** Reads the arguments and runs the command; each command's module is loaded when it runs, so that help is quick. */
export async function runProgram(argv: readonly string[], { io, withContext }: ProgramOptions): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const json = argv.includes("--json");
  const program = createProgram(json ? withoutErrors(io) : io, async (flags, run) => {
    exitCode = await withContext(flags, run);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    // Commander has said what is wrong already, in its own words for people.
    if (json) io.stderr.write(`${JSON.stringify({ error: usageError(error) }, undefined, 2)}\n`);
    return EXIT.invalid;
  }
  return exitCode;
}

function withoutErrors(io: CliIo): CliIo {
  return { ...io, stderr: { write() {} } };
}

/** The same form as every other error with --json. */
function usageError({ message }: CommanderError): { kind: string; reason: string; message: string } {
  return { kind: "cli", reason: "USAGE", message: message.replace(/^error: /, "") };
}

type Start = (flags: GlobalFlags, run: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

function createProgram(io: CliIo, start: Start): Command {
  const program = new Command("heddle")
    .description("Durable workflows of agents and tools: write YAML, run it, kill it, watch it go on.")
    .version(readVersion(), "-V, --version", "print the version")
    .option("--address <url>", "server to talk to (HEDDLE_ADDRESS, default http://127.0.0.1:7233)")
    .option("--namespace <name>", "namespace to work in (HEDDLE_NAMESPACE, default `default`)")
    .option("--tls-ca <file>", "authorities of a server at https:// (HEDDLE_TLS_CA_FILE, default the public ones)")
    .option("--tls-cert <file>", "certificate to show to a server that asks for one (HEDDLE_TLS_CERT_FILE)")
    .option("--tls-key <file>", "its key (HEDDLE_TLS_KEY_FILE)")
    .option("--tls-server-name <name>", "name to expect in the server's certificate (HEDDLE_TLS_SERVER_NAME)")
    .option("--json", "print one JSON document, or JSON lines for streams")
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .showHelpAfterError("run the command with --help to see what it takes")
    .addHelpText(
      "after",
      "\n<execution> is an id, or key:<business key>.\nExit codes: 0 ok, 1 workflow failed, 2 usage or invalid, 3 not found, 4 unavailable, 5 timeout, 6 refused, 7 violations found, 8 not all checked, 130 interrupted.\nMore: docs/cli.md",
    );

  // Flags such as --json are taken before and after the command's name.
  const add = (parent: Command, nameAndArguments: string, description: string): Command =>
    parent
      .command(nameAndArguments)
      .description(description)
      .addOption(new Option("--address <url>").hideHelp())
      .addOption(new Option("--namespace <name>").hideHelp())
      .addOption(new Option("--tls-ca <file>").hideHelp())
      .addOption(new Option("--tls-cert <file>").hideHelp())
      .addOption(new Option("--tls-key <file>").hideHelp())
      .addOption(new Option("--tls-server-name <name>").hideHelp())
      .addOption(new Option("--json").hideHelp());
  const command = (nameAndArguments: string, description: string): Command =>
    add(program, nameAndArguments, description);
  const started = (self: Command, run: (context: CommandContext) => Promise<ExitCode>): Promise<void> =>
    start(self.optsWithGlobals<GlobalFlags>(), run);

  command("dev", "run all services in one process, with their own database")
    .option("--port <port>", "port to listen on (default 7233; 0 takes a free one)", parsePort)
    .option("--data-dir <dir>", "where data is kept (default .heddle)")
    .option("--event-log <file>", "append every event to this file")
    .option(
      "--allow-http <host>",
      "private host that http_request may reach, e.g. 127.0.0.1:8080; repeatable",
      collectText,
    )
    .option("--agents <file>", "YAML or JSON file of agents that definitions may name")
    .action((options, self: Command) =>
      started(self, async (context) => (await import("./commands/dev.ts")).dev(context, options)),
    );

  command("validate <file...>", "check definitions, without a server")
    .option("--strict", "let warnings count as errors")
    .action((files: string[], options, self: Command) =>
      started(self, async (context) => (await import("./commands/validate.ts")).validate(context, files, options)),
    );

  command("schema", "print the JSON Schema of definitions, for editors").action((_options, self: Command) =>
    started(self, async (context) => (await import("./commands/schema.ts")).schema(context)),
  );

  command("graph <workflow>", "draw a file, or a published definition")
    .addOption(new Option("--format <format>", "how").choices(["text", "dot", "mermaid"]).default("text"))
    .option("--workflow-version <number>", "version to draw (default: the active one)", parseCount)
    .action((workflow: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/graph.ts")).graph(context, workflow, options)),
    );

  command("convert <file>", "convert a W3C SCXML document to a state machine in YAML, on standard output")
    .option("--id <id>", "id of the workflow (default: the document's name, or the file's)")
    .action((file: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/convert.ts")).convert(context, file, options)),
    );

  command("publish <file...>", "store definitions as new versions and activate them")
    .option("--no-activate", "store the versions, keep the active ones")
    .action((files: string[], options, self: Command) =>
      started(self, async (context) => (await import("./commands/publish.ts")).publish(context, files, options)),
    );

  command("run <workflow>", "start a workflow by id, or publish a file and start that")
    .option("--input <json>", "input as JSON, @file.json, @file.yaml, or - for standard input")
    .option("--input-file <file>", "file with the input, JSON or YAML")
    .option("--request-id <id>", "idempotency key: the same id starts once")
    .option("--key <key>", "business key: one execution with it runs at a time")
    .option(
      "--when-running <policy>",
      "if one with the key runs: reject (default), use, cancel or terminate it",
      parseRunningPolicy,
    )
    .option(
      "--when-finished <policy>",
      "if the last one with the key has ended: allow (default), allow-if-failed or reject",
      parseFinishedPolicy,
    )
    .option("--attribute <name=value>", "search attribute to find it by later; repeatable", collectAttribute)
    .option("--label <key=value>", "label to find it by later; repeatable", collectLabel)
    .option("--priority <0-9>", "0 is first, 9 is last", parsePriority)
    .option("--workflow-version <number>", "version to run (default: the active one)", parseCount)
    .option("--signal <name>", "signal that comes with the start, or goes to the one with the key that runs")
    .option("--signal-key <key>", "what the signal is about: only waits with this key take it")
    .option("--signal-payload <json>", "what comes with the signal: JSON, @file.json, @file.yaml, or -")
    .option("--wait", "wait for the end and print the output")
    .option("--watch", "wait for the end and show it live")
    .option("--timeout <duration>", "how long to wait, e.g. 30s; the execution goes on", parseTime)
    .action((workflow: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/run.ts")).run(context, workflow, options)),
    );

  command("get <execution>", "show an execution as it is now").action((id: string, _options, self: Command) =>
    started(self, async (context) => (await import("./commands/get.ts")).get(context, id)),
  );

  command("list", "list executions, newest first")
    .option("--workflow <id>", "only of this workflow")
    .option("--status <status>", "only with this status", parseExecutionStatus)
    .option("--label <key=value>", "only with this label; repeatable", collectLabel)
    .option("--parent <execution-id>", "only children of this execution")
    .option("--key <key>", "only with this business key")
    .option(
      "--where <condition>",
      "on a search attribute, e.g. customer=acme or total>=100; repeatable",
      collectCondition,
    )
    .option("--has-incidents", "only with a node that has failed and waits for a person")
    .option("--limit <number>", "how many (default 20)", parseCount)
    .action((options, self: Command) =>
      started(self, async (context) => (await import("./commands/list.ts")).list(context, options)),
    );

  command("history <execution-id>", "print everything that happened in an execution")
    .option("--limit <number>", "how many events (default: all)", parseCount)
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/history.ts")).history(context, id, options)),
    );

  command("watch <execution-id>", "show an execution live until it ends")
    .option("--timeout <duration>", "how long to watch, e.g. 30s", parseTime)
    .action((id: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/watch.ts")).watch(context, id, options)),
    );

  for (const [name, description] of [
    ["cancel", "end an execution and its children, in order: steps are undone, finally runs"],
    ["terminate", "end an execution and its children at once: nothing is undone"],
    ["suspend", "let an execution start nothing new"],
    ["resume", "let a suspended execution go on"],
  ] as const) {
    command(`${name} <execution>`, description)
      .option("--reason <text>", "why, for the history")
      .action((id: string, options, self: Command) =>
        started(self, async (context) => (await import("./commands/control.ts"))[name](context, id, options)),
      );
  }

  addSteeringCommands(command, started);
  command("delete <execution-id>", "delete an execution that has ended, with its history").action(
    (id: string, _options, self: Command) =>
      started(self, async (context) => (await import("./commands/delete.ts")).deleteExecution(context, id)),
  );

  command("signal <execution> <name>", "send a signal to an execution")
    .option("--key <key>", "what it is about: only waits with this key take it")
    .option("--payload <json>", "what comes with it: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--request-id <id>", "idempotency key: the same id is taken once")
    .action((id: string, name: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/signal.ts")).signal(context, id, name, options)),
    );

  addIncidentCommands(command, started);

  command("emit <event>", "tell an event to all executions that wait for it")
    .option("--key <key>", "what it is about: only waits with this key, or with none, take it")
    .option("--payload <json>", "what comes with it: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--request-id <id>", "idempotency key: the same id is told once")
    .action((name: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/emit.ts")).emit(context, name, options)),
    );

  command("update <execution> <name>", "ask an execution to change, and print its reply")
    .option("--payload <json>", "what comes with it: JSON, @file.json, @file.yaml, or - for standard input")
    .option("--request-id <id>", "idempotency key: the same id is applied once, and gives the same reply")
    .option("--timeout <duration>", "how long to wait for the reply, e.g. 30s (default 1m)", parseTime)
    .action((id: string, name: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/update.ts")).update(context, id, name, options)),
    );

  command("query <execution> <name>", "ask an execution something: input, vars, nodes, waits, signals, or its own")
    .option("--args <json>", "arguments: JSON, @file.json, @file.yaml, or - for standard input")
    .action((id: string, name: string, options, self: Command) =>
      started(self, async (context) => (await import("./commands/query.ts")).query(context, id, name, options)),
    );

  command("workers", "list the workers that are connected").action((_options, self: Command) =>
    started(self, async (context) => (await import("./commands/workers.ts")).workers(context)),
  );

  command("queue", "show what waits for workers, by tool and agent")
    .addOption(new Option("--type <type>", "only tools or only agents").choices(["tool", "agent"]))
    .option("--name <name>", "only tasks of this name")
    .action((options, self: Command) =>
      started(self, async (context) => (await import("./commands/queue.ts")).queue(context, options)),
    );

  addBatchCommands(program, add, started);
  addScheduleCommands(program, add, started);
  addMachineCommands(program, add, started);
  addTaskCommands(program, add, started);

  command("explain <task-or-execution-id>", "say why a task does not run yet").action(
    (id: string, _options, self: Command) =>
      started(self, async (context) => (await import("./commands/explain.ts")).explain(context, id)),
  );

  command("doctor", "prove the promises on a live suite")
    .option("--brokers <list>", "Kafka with the events, host:port,… (KAFKA_BROKERS)", parseBrokers)
    .option("--event-log <file>", "event log of `heddle dev` to compare, in place of Kafka")
    .option("--sample <number>", "replay only so many histories, chosen at random (default: all)", parseCount)
    .option("--seed <number>", "for the choice of the sample (default 1)", parseCount)
    .option("--rate <number>", "executions read each second, at most (default 500)", parseCount)
    .option("--patience <duration>", "how long a suspicion has to go away (default 10s)", parseTime)
    .option("--overdue-after <duration>", "timers that are late for longer count (default 30s)", parseTime)
    .action((options, self: Command) =>
      started(self, async (context) => (await import("./commands/doctor.ts")).doctor(context, options)),
    );

  command("version", "print the version").action((_options, self: Command) =>
    started(self, async (context) => (await import("./commands/version.ts")).version(context)),
  );

  return program;
}
