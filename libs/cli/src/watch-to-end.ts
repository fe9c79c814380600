import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { CliError } from "./cli-error.ts";
import type { CliClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { followExecution } from "./follow-execution.ts";
import type { OutputStream } from "./io.ts";
import { messageJson } from "./message-json.ts";
import { createProgress, type Progress } from "./progress.ts";
import { formatDuration } from "./render/duration.ts";
import type { ExecutionTarget } from "./target.ts";
import { findOutline, type OutlineEntry } from "./render/outline.ts";

export interface WatchOptions {
  executionId: string;
  /** Where the tree or the lines go; undefined shows nothing, and JSON lines go to stdout with --json. */
  stream: OutputStream | undefined;
  /** Undefined waits as long as it takes. */
  timeoutMs: number | undefined;
}

/** Watches an execution, showing it as asked, and gives it as it is once it has ended. */
export async function watchToEnd(context: CommandContext, options: WatchOptions): Promise<Execution> {
  const { executionId, timeoutMs } = options;
  const client = await context.client();
  const { signal: interrupted } = context.io;
  const signal =
    timeoutMs === undefined ? interrupted : AbortSignal.any([interrupted, AbortSignal.timeout(Math.ceil(timeoutMs))]);
  try {
    await show(context, client, options, signal);
    return await getExecution(client, { executionId }, interrupted);
  } catch (error) {
    if (signal.aborted && !interrupted.aborted) throw timedOut(executionId, timeoutMs ?? 0, error);
    if (interrupted.aborted) {
      context.say(`the execution goes on without you: heddle watch ${executionId}`);
    }
    throw error;
  }
}

/** The execution with its nodes. */
export async function getExecution(
  client: CliClient,
  target: ExecutionTarget,
  signal: AbortSignal,
): Promise<Execution> {
  const { execution } = await client.executions.getExecution(target, { signal });
  if (execution === undefined) throw new Error("the server answered GetExecution without an execution");
  return execution;
}

/** The shape of the tree; undefined when the server does not tell, and then nodes stand in document order. */
export async function findExecutionOutline(
  client: CliClient,
  { namespace, workflowId, version }: Execution,
  signal: AbortSignal,
): Promise<OutlineEntry[] | undefined> {
  try {
    const { planJson } = await client.definitions.getPlan({ namespace, workflowId, version }, { signal });
    return findOutline(planJson);
  } catch {
    // A view is no reason to fail: the plan may be out of this caller's reach.
    signal.throwIfAborted();
    return undefined;
  }
}

async function show(
  context: CommandContext,
  client: CliClient,
  { executionId, stream }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const onReconnect = (attempt: number): void => {
    if (attempt === 1) context.say("the server went away; waiting for it");
  };
  if (stream === undefined) {
    for await (const events of followExecution(client, { executionId, afterSeq: 0n, signal, onReconnect })) {
      if (!context.json) continue;
      for (const event of events) printLine(context, { event: messageJson(ExecutionEventSchema, event) });
    }
    return;
  }
  const execution = await getExecution(client, { executionId }, signal);
  const outline = await findExecutionOutline(client, execution, signal);
  const progress: Progress = createProgress({
    stream,
    style: context.style(stream),
    execution,
    outline,
    config: context.config,
  });
  try {
    for await (const events of followExecution(client, { executionId, afterSeq: progress.afterSeq, signal })) {
      progress.show(events);
    }
  } finally {
    progress.end();
  }
}

/** One line of a stream of JSON documents. */
export function printLine(context: CommandContext, value: unknown): void {
  context.io.stdout.write(`${JSON.stringify(value)}\n`);
}

function timedOut(executionId: string, timeoutMs: number, cause: unknown): CliError {
  return new CliError(`the execution ${executionId} has not ended within ${formatDuration(timeoutMs)}; it goes on`, {
    exitCode: EXIT.timeout,
    reason: "WAIT_TIMED_OUT",
    hint: `heddle watch ${executionId}`,
    cause,
  });
}
