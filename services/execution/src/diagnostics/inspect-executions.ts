import { describeRequestId } from "../domain/workflow-keys.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { isFinished, nextTimerAt, type Plan } from "@heddle/engine";
import {
  type AggregateInspection,
  type JournalRecord,
  type PartitionInspection,
  readHistoryTable,
} from "@heddle/journal";
import { type LiveExecution, LiveExecutionSchema } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { encodeSnapshot, type Execution } from "../domain/aggregate.ts";
import { inspectMaxExecutions, inspectMaxFlushes, inspectMaxStateBytes, replayPageEvents } from "../domain/limits.ts";
import type { ExecutionContext } from "../handlers/context.ts";
import { compareReplay } from "./compare-replay.ts";
import { toOutcome } from "./to-outcome.ts";
import { describeWaits } from "./node-waits.ts";

/** An execution as it was at one moment; the state as text, because the next turn changes it in place. */
interface Captured {
  message: LiveExecution;
  /** Absent when it is not to be replayed. */
  state?: { plan: Plan; snapshot: string; lastSeq: number };
}

export interface InspectOptions {
  /** All, when there are none. */
  ids: ReadonlySet<string>;
  replay: boolean;
}

/** The executions of a partition as they are in memory, some at a time. Between two groups the process does other work. */
export async function* inspectExecutions(
  context: ExecutionContext,
  number: number,
  partition: PartitionInspection<Execution>,
  { ids, replay }: InspectOptions,
): AsyncIterable<LiveExecution[]> {
  let group: Captured[] = [];
  let bytes = 0;
  for (const aggregate of partition.aggregates()) {
    if (ids.size > 0 && !ids.has(aggregate.id)) continue;
    const captured = capture(context, number, aggregate, replay);
    if (captured === undefined) continue;
    group.push(captured);
    bytes += captured.state?.snapshot.length ?? 0;
    if (group.length < inspectMaxExecutions && bytes < inspectMaxStateBytes) continue;
    yield await settle(context, number, group);
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield await settle(context, number, group);
}

function capture(
  { openTasks }: ExecutionContext,
  partition: number,
  { id, state: execution, isCommitted, isQuarantined, timerAt }: AggregateInspection<Execution>,
  replay: boolean,
): Captured | undefined {
  const message = create(LiveExecutionSchema, { executionId: id, quarantined: isQuarantined });
  if (isQuarantined) return { message };
  // A turn of it is on its way to the disk: what it looks like is not true yet.
  if (!isCommitted || execution === undefined) return undefined;
  const { state, plan, seq } = execution;
  const dueAt = nextTimerAt(state);
  message.namespace = state.namespace;
  message.requestId = describeRequestId(state.requestId, state.workflowKey ?? "");
  message.lastSeq = BigInt(seq);
  message.ended = isFinished(state);
  message.suspended = state.status === "suspended";
  message.waits = describeWaits(id, execution, (taskId) => openTasks.has(partition, taskId));
  if (state.parent !== undefined) {
    const { outlives = false, ...parent } = state.parent;
    message.parent = { $typeName: "heddle.execution.v1.ParentNode", ...parent, outlives };
  }
  if (dueAt !== undefined) message.nextTimerAt = timestampFromMs(dueAt);
  if (timerAt !== undefined) message.armedTimerAt = timestampFromMs(timerAt);
  return replay ? { message, state: { plan, snapshot: encodeSnapshot(execution), lastSeq: seq } } : { message };
}

/** Replays what must be replayed. History and journal together, which is what a recovery would find. */
async function settle(context: ExecutionContext, number: number, group: readonly Captured[]): Promise<LiveExecution[]> {
  const { runtime, database } = context;
  const compared = group.filter(({ state }) => state !== undefined);
  if (compared.length > 0) {
    // The offset first: what is projected while the histories are read is then in both.
    const { projectedOffset } = runtime.inspect(number);
    const journal = await runtime.readJournal([number], projectedOffset, inspectMaxFlushes);
    const tails = tailsByExecution(journal.entries.flatMap(({ records }) => records));
    for (const { message, state } of compared) {
      if (state === undefined) continue;
      const id = message.executionId;
      const outcome = await compareReplay(
        { id, ...state },
        {
          async read(afterSeq) {
            const projected = await readHistoryTable(database, id, afterSeq, replayPageEvents);
            if (projected.length > 0) return projected;
            return (tails.get(id) ?? []).filter(({ seq }) => seq > afterSeq);
          },
          loadPayloads: (digests) => runtime.loadPayloads(digests),
        },
      );
      // The journal goes on further than it was read: that something is missing says nothing.
      if (journal.isFull && outcome.reachedSeq < state.lastSeq) continue;
      message.replay = toOutcome(outcome);
    }
  }
  return group.map(({ message }) => message);
}

function tailsByExecution(records: readonly JournalRecord[]): Map<string, JournalRecord[]> {
  const tails = new Map<string, JournalRecord[]>();
  for (const record of records) {
    const tail = tails.get(record.id);
    if (tail === undefined) tails.set(record.id, [record]);
    else tail.push(record);
  }
  return tails;
}
