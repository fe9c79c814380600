import { fromJson, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Execution, ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type {
  FinishedKeyPolicy,
  RunningKeyPolicy,
  StartSignalSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonObject, readJsonObjectFile, readJsonValue } from "../json-input.ts";
import { messageJson } from "../message-json.ts";
import { looksLikeFile, publishAndSay } from "../publish-file.ts";
import { isFinal } from "../render/names.ts";
import { exitCodeOf, reportResult } from "../report-result.ts";
import { printLine, watchToEnd } from "../watch-to-end.ts";

export interface RunOptions extends InputOptions, FollowOptions {
  requestId?: string;
  key?: string;
  whenRunning?: RunningKeyPolicy;
  whenFinished?: FinishedKeyPolicy;
  attribute?: JsonObject;
  signal?: string;
  signalKey?: string;
  signalPayload?: string;
  label?: Record<string, string>;
  priority?: number;
  workflowVersion?: number;
}

export interface InputOptions {
  input?: string;
  inputFile?: string;
}

export interface FollowOptions {
  wait?: boolean;
  watch?: boolean;
  timeout?: number;
}

/** Starts a workflow by id, or publishes a file and starts that; waits for the end and shows it as asked. */
export async function run(context: CommandContext, workflow: string, options: RunOptions): Promise<ExitCode> {
  const input = (await readInput(context, options)) ?? {};
  const signal = await readSignal(context, options);
  const isFile = looksLikeFile(workflow);
  if (isFile && options.workflowVersion !== undefined) {
    throw new CliError("--workflow-version is for a published workflow; a file is published as its newest version");
  }
  const target = isFile
    ? await publishAndSay(context, workflow)
    : { workflowId: workflow, version: options.workflowVersion ?? 0 };
  return await followStarted(context, await start(context, target, { input, signal }, options), options);
}

/** Says that it has started; waits for its end and shows it, when asked to. */
export async function followStarted(
  context: CommandContext,
  execution: Execution,
  options: FollowOptions,
): Promise<ExitCode> {
  const { executionId } = execution;
  if (!options.wait && !options.watch) {
    if (context.json) context.printJson(messageJson(ExecutionSchema, execution));
    else context.print(executionId);
    context.say(`started; heddle watch ${executionId}`);
    return EXIT.ok;
  }
  const ended = await finish(context, execution, options);
  if (!context.json) return reportResult(context, ended);
  if (options.watch) printLine(context, { execution: messageJson(ExecutionSchema, ended) });
  else context.printJson(messageJson(ExecutionSchema, ended));
  return exitCodeOf(ended.status);
}

async function start(
  context: CommandContext,
  target: { workflowId: string; version: number },
  given: { input: JsonObject; signal: Signal | undefined },
  { requestId, key, whenRunning, whenFinished, attribute, label, priority }: RunOptions,
): Promise<Execution> {
  const { executions } = await context.client();
  const request = {
    ...target,
    namespace: context.namespace,
    ...given,
    requestId,
    workflowKey: key,
    whenRunning,
    whenFinished,
    searchAttributes: attribute,
    labels: label,
    priority,
  };
  const { execution, created } = await executions.startExecution(request, { signal: context.io.signal });
  if (execution === undefined) throw new Error("the server answered StartExecution without an execution");
  if (!created) {
    // With both, the answer is to the request when the execution is the one that it started.
    const isRepeated = requestId !== undefined && (key === undefined || execution.requestId === requestId);
    context.say(
      isRepeated
        ? `the request id ${requestId} was used before: this is the execution that it started`
        : `an execution with the key ${key ?? ""} runs: this is it`,
    );
  }
  return execution;
}

function finish(
  context: CommandContext,
  { executionId, status }: Execution,
  options: FollowOptions,
): Promise<Execution> {
  // Without --watch nothing is shown; with --json the events go to stdout as lines.
  const silent = !options.watch || context.json;
  const stream = silent ? undefined : context.io.stderr;
  if (!isFinal(status) && !silent && stream?.isTTY !== true) context.say(`started ${executionId}`);
  const quiet: CommandContext = options.watch ? context : { ...context, json: false };
  return watchToEnd(silent ? quiet : context, { executionId, stream, timeoutMs: options.timeout });
}

type Signal = MessageInitShape<typeof StartSignalSchema>;

/** Undefined when none is given. */
async function readSignal(
  { io }: CommandContext,
  { signal: name, signalKey: key, signalPayload }: RunOptions,
): Promise<Signal | undefined> {
  if (name === undefined) {
    if (key === undefined && signalPayload === undefined) return undefined;
    throw new CliError("--signal-key and --signal-payload are of a signal", { hint: "give its name with --signal" });
  }
  const payload = signalPayload === undefined ? null : await readJsonValue(signalPayload, "--signal-payload", io);
  return { name, key, payload: fromJson(ValueSchema, payload) };
}

/** Undefined when none is given. */
export async function readInput(
  context: CommandContext,
  { input, inputFile }: InputOptions,
): Promise<JsonObject | undefined> {
  if (input !== undefined && inputFile !== undefined) throw new CliError("give --input or --input-file, not both");
  if (input !== undefined) return readJsonObject(input, "--input", context.io);
  return inputFile === undefined ? undefined : readJsonObjectFile(inputFile, "--input-file");
}
