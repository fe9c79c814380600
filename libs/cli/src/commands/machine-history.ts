import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { type Machine, MachineSchema, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { followMachine } from "../follow-execution.ts";
import { historyExecutionsMax, listMaxLimit, pageSize } from "../limits.ts";
import { findMachineId } from "../machine-name.ts";
import { messageJson } from "../message-json.ts";
import { renderEventLine } from "../render/describe-event.ts";
import { renderMachineEvent, type Runs } from "../render/describe-machine-event.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { oneLine, truncate } from "../render/text-width.ts";
import { readHistory } from "./history.ts";

export interface HistoryOptions {
  limit?: number;
  /** Of the executions that it has invoked, too. */
  withExecutions?: boolean;
}

/** Lines with the moment that they tell of. */
interface Entry {
  atMs: number;
  lines: string[];
}

/** Prints every event of a machine, first to last, with those of the executions that it has invoked between them if asked. */
export async function history(context: CommandContext, name: string, options: HistoryOptions): Promise<ExitCode> {
  const machineId = await findMachineId(context, name);
  const limit = options.limit ?? listMaxLimit;
  const events: StateMachineEvent[] = [];
  let more = false;
  for await (const event of readMachineHistory(context, machineId)) {
    more = events.length === limit;
    if (more) break;
    events.push(event);
  }
  const executions = options.withExecutions ? invokedExecutions(events) : new Map<string, string>();
  if (context.json) await printJson(context, { events, more }, [...executions.keys()]);
  else await printEntries(context, events, executions);
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

async function printJson(
  context: CommandContext,
  { events, more }: { events: StateMachineEvent[]; more: boolean },
  executionIds: string[],
): Promise<void> {
  const executions: Record<string, unknown[]> = {};
  for (const executionId of executionIds) {
    const list: unknown[] = [];
    for await (const event of readHistory(context, executionId)) list.push(messageJson(ExecutionEventSchema, event));
    executions[executionId] = list;
  }
  const own = events.map((event) => messageJson(StateMachineEventSchema, event));
  context.printJson({ events: own, more, ...(executionIds.length > 0 && { executions }) });
}

async function printEntries(
  context: CommandContext,
  events: StateMachineEvent[],
  executions: ReadonlyMap<string, string>,
): Promise<void> {
  const { io } = context;
  const style = context.style(io.stdout);
  const columns = (io.stdout.isTTY && io.stdout.columns) || Number.MAX_SAFE_INTEGER;
  const createdAtMs = toMs(events[0]?.occurredAt) ?? 0;
  const runs: Runs = new Map();
  const entries = events.map(
    (event): Entry => ({
      atMs: toMs(event.occurredAt) ?? createdAtMs,
      lines: renderMachineEvent(event, { createdAtMs, style, runs }),
    }),
  );
  for (const [executionId, invokeId] of executions) {
    for await (const event of readHistory(context, executionId)) {
      const line = renderEventLine(event, { startedAtMs: createdAtMs, style });
      entries.push({
        atMs: toMs(event.occurredAt) ?? createdAtMs,
        lines: [`${line}  ${style.dim(`of ${oneLine(invokeId)}`)}`],
      });
    }
  }
  // Sorting is stable: what happened in one of them stays in its order.
  for (const { lines } of entries.toSorted((a, b) => a.atMs - b.atMs))
    for (const line of lines) context.print(truncate(line, columns));
}

/** Prints what has happened and what happens, until the machine has ended. */
export async function watch(context: CommandContext, name: string, options: { timeout?: number }): Promise<ExitCode> {
  const { io } = context;
  const { timeout } = options;
  const signal = timeout === undefined ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(timeout)]);
  const machineId = await findMachineId(context, name);
  const client = await context.client();
  const style = context.style(io.stdout);
  const runs: Runs = new Map();
  let createdAtMs: number | undefined;
  try {
    for await (const events of followMachine(client, { machineId, afterSeq: 0n, signal })) {
      for (const event of events) {
        createdAtMs ??= toMs(event.occurredAt) ?? 0;
        if (context.json) {
          io.stdout.write(`${JSON.stringify({ event: messageJson(StateMachineEventSchema, event) })}\n`);
        } else for (const line of renderMachineEvent(event, { createdAtMs, style, runs })) context.print(line);
      }
    }
  } catch (error) {
    if (!signal.aborted || io.signal.aborted) throw error;
    throw new CliError(`the machine ${machineId} has not ended within ${formatDuration(timeout ?? 0)}; it goes on`, {
      exitCode: EXIT.timeout,
      reason: "WAIT_TIMED_OUT",
      hint: `heddle machine watch ${machineId}`,
      cause: error,
    });
  }
  const { machine } = await client.machines.getMachine({ machineId }, { signal: io.signal });
  if (context.json && machine !== undefined) {
    io.stdout.write(`${JSON.stringify({ machine: messageJson(MachineSchema, machine) })}\n`);
  }
  return exitCodeOf(machine);
}

/** 0 for a machine that has finished, 1 for one that ended otherwise. */
function exitCodeOf(machine: Machine | undefined): ExitCode {
  return machine?.status === MachineStatus.FINISHED ? EXIT.ok : EXIT.workflowFailed;
}

/** The invocation that each execution was begun for, by the execution's id: of workflows, tools and agents; at most so many. */
function invokedExecutions(events: readonly StateMachineEvent[]): Map<string, string> {
  const runs: Runs = new Map();
  const executions = new Map<string, string>();
  for (const { event } of events) {
    if (event.case === "invocationStarted") runs.set(event.value.token, event.value);
    if (event.case !== "invocationAcknowledged") continue;
    const run = runs.get(event.value.token);
    if (run === undefined || run.kind === "machine" || executions.size === historyExecutionsMax) continue;
    executions.set(event.value.startedId, run.invokeId);
  }
  return executions;
}

async function* readMachineHistory(
  context: CommandContext,
  machineId: string,
): AsyncGenerator<StateMachineEvent, void> {
  const { machines } = await context.client();
  let pageToken = "";
  do {
    const request = { machineId, pageSize, pageToken };
    const page = await machines.listMachineHistory(request, { signal: context.io.signal });
    yield* page.events;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
