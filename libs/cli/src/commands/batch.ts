import { setTimeout as sleep } from "node:timers/promises";
import { create, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type Batch,
  BatchOperationSchema,
  BatchSchema,
  BatchStatus,
  type ExecutionFilterSchema,
} from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { listDefaultLimit, pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";
import { exitCodeOfBatch } from "../report-result.ts";
import { readResolution, type ResolutionOptions } from "../resolution.ts";
import type { ListOptions } from "./list.ts";

export interface CreateBatchOptions extends ListOptions, ResolutionOptions {
  failureType?: string;
  node?: string;
  startedAfter?: number;
  startedBefore?: number;
  all?: boolean;
  signal?: string;
  signalKey?: string;
  fromFailed?: boolean;
  workflowVersion?: number;
  payload?: string;
  reason?: string;
  dryRun?: boolean;
  rate?: number;
  canary?: number;
  maxErrors?: number;
  requestId?: string;
  wait?: boolean;
}

const PLAIN = ["cancel", "terminate", "suspend", "resume"] as const;
const LOOK_INTERVAL_MS = 500;

export async function createBatch(
  context: CommandContext,
  operation: string,
  options: CreateBatchOptions,
): Promise<ExitCode> {
  const filter = filterOf(options);
  const conditions = [...Object.values(filter), options.failureType, options.node];
  const isOpen = conditions.every((value) => value === undefined);
  if (isOpen && options.all !== true) throw new CliError("say which executions, e.g. --workflow order, or --all");
  const { batches } = await context.client();
  const { rate, canary, maxErrors, requestId, dryRun } = options;
  const { batch, matchedByStatus } = await batches.createBatch(
    {
      namespace: context.namespace,
      filter,
      operation: await operationOf(context, operation, options),
      pace: { ratePerSecond: rate, canary, maxErrorPercent: maxErrors },
      dryRun,
      requestId,
    },
    { signal: context.io.signal },
  );
  const made = batch ?? create(BatchSchema);
  if (dryRun) {
    if (context.json) context.printJson(messageJson(BatchSchema, made));
    else {
      const parts = matchedByStatus.map(({ status, count }) => `${count} ${ExecutionStatus[status].toLowerCase()}`);
      context.print(
        `${operation} would be about ${made.matched} executions${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`,
      );
    }
    return EXIT.ok;
  }
  if (options.wait) return await follow(context, made.batchId);
  if (context.json) context.printJson(messageJson(BatchSchema, made));
  else {
    context.print(made.batchId);
    context.say(`about ${made.matched} executions; heddle batch get ${made.batchId}`);
  }
  return EXIT.ok;
}

export async function getBatch(context: CommandContext, batchId: string): Promise<ExitCode> {
  print(context, await readBatch(context, batchId));
  return EXIT.ok;
}

export async function listBatches(
  context: CommandContext,
  { limit = listDefaultLimit }: { limit?: number },
): Promise<ExitCode> {
  const client = await context.client();
  const batches: Batch[] = [];
  let pageToken = "";
  do {
    const page = await client.batches.listBatches(
      { namespace: context.namespace, pageSize: Math.min(pageSize, limit - batches.length), pageToken },
      { signal: context.io.signal },
    );
    batches.push(...page.batches);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && batches.length < limit);
  if (context.json) {
    context.printJson({ batches: batches.map((batch) => messageJson(BatchSchema, batch)), more: pageToken !== "" });
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const lines = renderTable<Batch>(
    batches,
    [
      { title: "BATCH", cell: ({ batchId }) => batchId },
      { title: "OPERATION", cell: ({ operation }) => operation?.operation.case ?? "" },
      { title: "STATUS", cell: ({ status }) => statusName(status) },
      { title: "PROGRESS", cell: progressText },
      { title: "REASON", cell: ({ reason }) => oneLine(reason) },
    ],
    style.dim,
  );
  for (const line of batches.length === 0 ? [] : lines) context.print(line);
  if (batches.length === 0) context.say(`there is no batch in namespace ${context.namespace}`);
  return EXIT.ok;
}

export async function controlBatch(
  context: CommandContext,
  action: "pause" | "resume" | "cancel",
  batchId: string,
  { reason = "" }: { reason?: string },
): Promise<ExitCode> {
  const { batches } = await context.client();
  const call = { signal: context.io.signal };
  const { batch } =
    action === "resume"
      ? await batches.resumeBatch({ batchId }, call)
      : action === "pause"
        ? await batches.pauseBatch({ batchId, reason }, call)
        : await batches.cancelBatch({ batchId, reason }, call);
  print(context, batch ?? create(BatchSchema));
  return EXIT.ok;
}

async function readBatch(context: CommandContext, batchId: string): Promise<Batch> {
  const { batches } = await context.client();
  const { batch } = await batches.getBatch({ batchId }, { signal: context.io.signal });
  return batch ?? create(BatchSchema);
}

/** Says how far it is, until there is nothing to wait for. */
async function follow(context: CommandContext, batchId: string): Promise<ExitCode> {
  let said = "";
  for (;;) {
    const batch = await readBatch(context, batchId);
    const text = progressText(batch);
    if (text !== said) context.say(`${statusName(batch.status)}  ${text}`);
    said = text;
    if (batch.status !== BatchStatus.RUNNING) {
      print(context, batch);
      return exitCodeOfBatch(batch);
    }
    await sleep(LOOK_INTERVAL_MS, undefined, { signal: context.io.signal });
  }
}

function print(context: CommandContext, batch: Batch): void {
  if (context.json) return context.printJson(messageJson(BatchSchema, batch));
  context.print(`${batch.batchId}  ${batch.operation?.operation.case ?? ""}  ${statusName(batch.status)}`);
  context.print(progressText(batch));
  if (batch.reason !== "") context.print(oneLine(batch.reason));
  for (const { executionId, reason, message } of batch.failures) {
    context.print(`  ${executionId}  ${reason}  ${oneLine(message)}`);
  }
}

function progressText({ matched, succeeded, failed, skipped }: Batch): string {
  return `${succeeded + failed + skipped} of about ${matched}: ${succeeded} done, ${failed} failed, ${skipped} skipped`;
}

function statusName(status: BatchStatus): string {
  return (BatchStatus[status] ?? "unknown").toLowerCase().replaceAll("_", " ");
}

function filterOf(options: CreateBatchOptions): MessageInitShape<typeof ExecutionFilterSchema> {
  const { workflow, status, label, where, parent, key, startedAfter, startedBefore, hasIncidents } = options;
  return {
    workflowId: workflow,
    status,
    labels: label,
    attributes: where,
    parentExecutionId: parent,
    workflowKey: key,
    hasIncidents,
    startedAfter: startedAfter === undefined ? undefined : timestampFromMs(startedAfter),
    startedBefore: startedBefore === undefined ? undefined : timestampFromMs(startedBefore),
  };
}

async function operationOf(context: CommandContext, operation: string, options: CreateBatchOptions) {
  const { signal, signalKey, payload, reason = "", fromFailed, workflowVersion } = options;
  const plain = PLAIN.find((name) => name === operation);
  if (plain !== undefined) return create(BatchOperationSchema, { operation: { case: plain, value: { reason } } });
  if (operation === "delete") return create(BatchOperationSchema, { operation: { case: "delete", value: {} } });
  if (operation === "rerun") {
    const value = { fromFailed: fromFailed === true, version: workflowVersion };
    return create(BatchOperationSchema, { operation: { case: "rerun", value } });
  }
  if (operation === "resolve") {
    const { failureType, node: nodeId } = options;
    const value = { failureType, nodeId, resolution: await readResolution(context, options), reason };
    return create(BatchOperationSchema, { operation: { case: "resolveIncidents", value } });
  }
  if (operation !== "signal") {
    throw new CliError(`a batch cannot ${operation}; use one of ${PLAIN.join(", ")}, signal, rerun, resolve, delete`);
  }
  if (signal === undefined) throw new CliError("a batch of signals needs the name: --signal approved");
  const json = payload === undefined ? null : await readJsonValue(payload, "--payload", context.io);
  const value = { name: signal, key: signalKey, payload: fromJson(ValueSchema, json) };
  return create(BatchOperationSchema, { operation: { case: "signal", value } });
}
