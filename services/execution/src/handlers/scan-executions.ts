import { describeRequestId } from "../domain/workflow-keys.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { nextTimerAt, type Plan } from "@heddle/engine";
import { readHistoryTable } from "@heddle/journal";
import { type HistoryRange, readHistoryRanges } from "@heddle/journal-service";
import {
  type ReplayOutcome,
  type ScanExecutionsRequest,
  type ScanExecutionsResponse,
  ScanExecutionsResponseSchema,
  type StoredExecution,
  StoredExecutionSchema,
} from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { compareReplay } from "../diagnostics/compare-replay.ts";
import { toOutcome } from "../diagnostics/to-outcome.ts";
import { isActive } from "../diagnostics/node-waits.ts";
import { seqOf } from "../domain/aggregate.ts";
import { replayPageEvents } from "../domain/limits.ts";
import { findPurged } from "../store/purge.ts";
import { restoreExecutions, type SnapshotRow } from "../store/restore-executions.ts";
import { findScanned, scanExecutions as query, type ScannedRow } from "../store/scan-executions.ts";
import type { ExecutionContext } from "./context.ts";

const DEFAULT_PAGE_SIZE = 100;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

export async function scanExecutions(
  context: ExecutionContext,
  request: ScanExecutionsRequest,
): Promise<ScanExecutionsResponse> {
  const { database } = context;
  const { executionIds, replay, pageToken } = request;
  const isPaged = executionIds.length === 0;
  const filter = { replay };
  const options = { withSnapshots: replay };
  const after = pageToken === "" ? FIRST_ID : decodePageToken<string>(pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  // Rows first: a history that is read later holds at least what the snapshot has seen.
  const rows = isPaged
    ? await query(database, after, pageSize, options)
    : await findScanned(database, executionIds, options);
  const ids = rows.map((row) => row.execution_id);
  const histories = await readHistoryRanges(database, ids);
  const executions: StoredExecution[] = [];
  for (const row of rows) {
    const message = toMessage(row, histories.get(row.execution_id) ?? []);
    if (row.snapshot !== null) {
      const plan = await findPlanOf(context, row);
      await describeSnapshot(context, message, { ...row, snapshot: row.snapshot }, plan);
      if (replay) message.replay = await replayStored(context, row, row.snapshot, plan);
    }
    executions.push(message);
  }
  if (!isPaged) executions.push(...(await findGone(context, executionIds, ids)));
  const last = ids.at(-1);
  return create(ScanExecutionsResponseSchema, {
    executions,
    nextPageToken: isPaged && last !== undefined ? encodePageToken(last, filter) : "",
  });
}

/** Of those that were asked for and are not there, the ones that were there before. */
async function findGone(
  { database }: ExecutionContext,
  wanted: readonly string[],
  found: readonly string[],
): Promise<StoredExecution[]> {
  const missing = new Set(wanted).difference(new Set(found));
  const purged = await findPurged(database, [...missing]);
  return purged.map((execution) => create(StoredExecutionSchema, { ...execution, ended: true, purged: true }));
}

function toMessage(row: ScannedRow, history: readonly HistoryRange[]): StoredExecution {
  return create(StoredExecutionSchema, {
    executionId: row.execution_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    ended: row.ended,
    lastSeq: BigInt(row.last_seq),
    requestId: describeRequestId(row.request_id, row.workflow_key),
    history: history.map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) })),
    parent:
      row.parent_execution_id === null
        ? undefined
        : { executionId: row.parent_execution_id, nodeId: row.parent_node_id ?? "" },
  });
}

/** The error when there is none: one execution without a plan must not hide all others. */
async function findPlanOf({ plans }: ExecutionContext, row: ScannedRow): Promise<Plan | Error> {
  try {
    const key = { namespace: row.namespace, workflowId: row.workflow_id, version: row.version };
    return (await plans.resolve(key)).plan;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A snapshot that cannot be read is the replay's to tell. */
async function describeSnapshot(
  { database }: ExecutionContext,
  message: StoredExecution,
  row: SnapshotRow,
  plan: Plan | Error,
): Promise<void> {
  try {
    if (plan instanceof Error) return;
    const [restored] = await restoreExecutions(database, [{ row, plan }]);
    if (restored === undefined || "fault" in restored) return;
    const { state } = restored.state;
    // No column says so: lists do not ask.
    if (message.parent !== undefined) message.parent.outlives = state.parent?.outlives ?? false;
    const dueAt = message.ended ? undefined : nextTimerAt(state);
    if (dueAt !== undefined) message.nextTimerAt = timestampFromMs(dueAt);
    const active = plan.nodes.filter(({ index }) => isActive(state.nodes[index]));
    message.activeNodes = active.map(({ id }) => id);
  } catch {
    message.activeNodes = [];
  }
}

async function replayStored(
  { runtime, database }: ExecutionContext,
  row: ScannedRow,
  snapshot: Buffer,
  plan: Plan | Error,
): Promise<ReplayOutcome> {
  const id = row.execution_id;
  if (plan instanceof Error) {
    return toOutcome({ reachedSeq: 0, difference: `its plan cannot be had: ${plan.message}` });
  }
  const text = snapshot.toString();
  const outcome = await compareReplay(
    { id, plan, snapshot: text, lastSeq: seqOf(text) ?? Number(row.last_seq) },
    {
      read: (afterSeq) => readHistoryTable(database, id, afterSeq, replayPageEvents),
      loadPayloads: (digests) => runtime.loadPayloads(digests),
    },
  );
  return toOutcome(outcome);
}
