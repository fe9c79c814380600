import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { JournalRecord } from "@heddle/journal";
import {
  type InspectPartitionRequest,
  type InspectPartitionResponse,
  InspectPartitionResponseSchema,
  type JournalRange,
  JournalRangeSchema,
} from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { inspectExecutions } from "../diagnostics/inspect-executions.ts";
import { inspectMaxFlushes } from "../domain/limits.ts";
import type { ExecutionContext } from "./context.ts";

/** Answers from memory, for the owner of the partition only: nothing is loaded because somebody looks. */
export async function* inspectPartition(
  context: ExecutionContext,
  request: InspectPartitionRequest,
): AsyncIterable<InspectPartitionResponse> {
  const { runtime, now } = context;
  const { partition: number, replay } = request;
  const ids = new Set(request.executionIds);
  const partition = runtime.inspect(number);
  const { epoch, headOffset, projectedOffset } = partition;
  const observedAt = timestampFromMs(now());
  const journal = await runtime.readJournal([number], projectedOffset, inspectMaxFlushes);
  yield create(InspectPartitionResponseSchema, {
    partition: {
      observedAt,
      epoch: BigInt(epoch),
      headOffset: BigInt(headOffset),
      projectedOffset: BigInt(projectedOffset),
      unprojected: toRanges(
        journal.entries.flatMap(({ records }) => records),
        ids,
      ),
      unprojectedCut: journal.isFull,
    },
  });
  for await (const executions of inspectExecutions(context, number, partition, { ids, replay })) {
    yield create(InspectPartitionResponseSchema, { executions });
  }
}

function toRanges(records: readonly JournalRecord[], ids: ReadonlySet<string>): JournalRange[] {
  const ranges: JournalRange[] = [];
  const latest = new Map<string, { last: bigint }>();
  for (const { id, seq } of records) {
    if (ids.size > 0 && !ids.has(id)) continue;
    const number = BigInt(seq);
    const before = latest.get(id);
    if (before !== undefined && before.last + 1n === number) {
      before.last = number;
      continue;
    }
    const range = create(JournalRangeSchema, { executionId: id, events: { first: number, last: number } });
    if (range.events !== undefined) latest.set(id, range.events);
    ranges.push(range);
  }
  return ranges;
}
