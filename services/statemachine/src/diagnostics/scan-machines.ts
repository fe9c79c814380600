import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { findDifference } from "@heddle/doctor";
import { readHistoryTable } from "@heddle/journal";
import { compareReplay, type HistoryRange, readHistoryRanges } from "@heddle/journal-service";
import {
  OwedWorkKind,
  type ScanMachinesRequest,
  type ScanMachinesResponse,
  ScanMachinesResponseSchema,
  type StoredMachine,
  StoredMachineSchema,
} from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";
import { decodeMachine, type Invocation, isOver, type MachineState, nextTimerAt } from "@heddle/statechart";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { createMachineAggregate } from "../domain/aggregate.ts";
import type { MachineContext } from "../handlers/context.ts";
import { findRows, type ScannedRow, scanRows } from "./scan-rows.ts";

const DEFAULT_PAGE_SIZE = 100;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";
/** Events of a history that one read brings. */
const REPLAY_PAGE_EVENTS = 1_000;

export async function scanMachines(
  context: MachineContext,
  request: ScanMachinesRequest,
): Promise<ScanMachinesResponse> {
  const { database } = context;
  const { machineIds, replay, pageToken } = request;
  const isPaged = machineIds.length === 0;
  const filter = { replay };
  const after = pageToken === "" ? FIRST_ID : decodePageToken<string>(pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  // Rows first: a history that is read later holds at least what the snapshot has seen.
  const rows = isPaged ? await scanRows(database, after, pageSize) : await findRows(database, machineIds);
  const ids = rows.map((row) => row.machine_id);
  const histories = await readHistoryRanges(database, ids);
  const machines: StoredMachine[] = [];
  for (const row of rows) {
    const message = toMessage(row, histories.get(row.machine_id) ?? []);
    if (replay) message.replay = await replayStored(context, row);
    machines.push(message);
  }
  const last = ids.at(-1);
  return create(ScanMachinesResponseSchema, {
    machines,
    nextPageToken: isPaged && last !== undefined ? encodePageToken(last, filter) : "",
  });
}

function toMessage(row: ScannedRow, history: readonly HistoryRange[]): StoredMachine {
  const message = create(StoredMachineSchema, {
    machineId: row.machine_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    lastSeq: BigInt(row.last_seq),
    history: history.map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) })),
  });
  const state = readSnapshot(row);
  if (state !== undefined) describeState(message, state);
  return message;
}

/** A snapshot that cannot be read is the replay's to tell. */
function readSnapshot({ snapshot }: ScannedRow): MachineState | undefined {
  try {
    return decodeMachine(snapshot.toString());
  } catch {
    return undefined;
  }
}

function describeState(message: StoredMachine, state: MachineState): void {
  const dueAt = nextTimerAt(state);
  const nameOf = ({ id, token }: Invocation): string => `${id}/${token}`;
  const running = isOver(state) ? [] : state.invocations;
  message.ended = isOver(state);
  message.suspended = state.status === "suspended";
  if (dueAt !== undefined) message.nextTimerAt = timestampFromMs(dueAt);
  if (state.parent?.kind === "machine") message.parentMachineId = state.parent.id;
  message.owed = [
    ...running
      .filter(({ startedId }) => startedId === undefined)
      .map((invocation) => ({ kind: OwedWorkKind.START, name: nameOf(invocation) })),
    ...state.cancellations.map((invocation) => ({ kind: OwedWorkKind.CANCEL, name: nameOf(invocation) })),
    ...state.messages.map(({ id }) => ({ kind: OwedWorkKind.MESSAGE, name: String(id) })),
  ].map((owed) => ({ $typeName: "heddle.statemachine.v1.OwedWork", ...owed }));
  message.running = running.flatMap(({ id, kind, startedId }) =>
    startedId === undefined
      ? []
      : [
          {
            $typeName: "heddle.statemachine.v1.RunningInvocation",
            invokeId: id,
            startedId,
            machine: kind === "machine",
          },
        ],
  );
}

async function replayStored(
  { runtime, database, charts }: MachineContext,
  row: ScannedRow,
): Promise<StoredMachine["replay"]> {
  const id = row.machine_id;
  const { reachedSeq, difference } = await compareReplay(
    createMachineAggregate(charts),
    {
      id,
      lastSeq: Number(row.last_seq),
      compare(replayed) {
        const found = findDifference(decodeMachine(row.snapshot.toString()), replayed?.state);
        return found === undefined ? "" : `${found} by the replay`;
      },
    },
    {
      read: (afterSeq) => readHistoryTable(database, id, afterSeq, REPLAY_PAGE_EVENTS),
      loadPayloads: (digests) => runtime.loadPayloads(digests),
    },
  );
  return { $typeName: "heddle.statemachine.v1.MachineReplay", reachedSeq: BigInt(reachedSeq), difference };
}
