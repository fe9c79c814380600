import type { Plan } from "@heddle/engine";
import { childId, type JournalRecord, type Loaded, loadPayloads, readHistoryTails, replay } from "@heddle/journal";
import type { Queryable } from "@heddle/store";
import { createExecutionAggregate, decodeSnapshot, type Execution } from "../domain/aggregate.ts";
import { restoreMaxExecutions } from "../domain/limits.ts";

/** What is stored of an execution to go on from. */
export interface SnapshotRow {
  execution_id: string;
  last_seq: string;
  snapshot: Buffer;
}

export interface StoredExecution {
  row: SnapshotRow;
  plan: Plan;
}

/** Executions as of their last projected event: their snapshots, and on them the history since. */
export async function restoreExecutions(
  database: Queryable,
  stored: readonly StoredExecution[],
): Promise<Loaded<Execution>[]> {
  const restored: Loaded<Execution>[] = [];
  for (let from = 0; from < stored.length; from += restoreMaxExecutions) {
    restored.push(...(await restoreSome(database, stored.slice(from, from + restoreMaxExecutions))));
  }
  return restored;
}

async function restoreSome(database: Queryable, stored: readonly StoredExecution[]): Promise<Loaded<Execution>[]> {
  const decoded = stored.map(({ row, plan }) => {
    const lastSeq = Number(row.last_seq);
    return { id: row.execution_id, lastSeq, state: decodeSnapshot(plan, row.snapshot.toString(), lastSeq) };
  });
  const behind = decoded.filter(({ state, lastSeq }) => state.seq < lastSeq);
  const tails = await readHistoryTails(
    database,
    behind.map(({ id, state }) => ({ id, afterSeq: state.seq })),
  );
  const digests = [...tails.values()].flatMap((tail) => tail.flatMap(({ payloadDigests }) => payloadDigests));
  const payloads = await loadPayloads(database, digests);
  return decoded.map(({ id, state, lastSeq }) => {
    // The history may have gone on between the two queries: the journal has that as well.
    const tail = (tails.get(id) ?? []).filter(({ seq }) => seq <= lastSeq);
    return tail.length === 0 ? { id, state } : replayTail(id, state, tail, payloads);
  });
}

function replayTail(
  id: string,
  state: Execution,
  tail: readonly JournalRecord[],
  payloads: Awaited<ReturnType<typeof loadPayloads>>,
): Loaded<Execution> {
  const type = createExecutionAggregate({ get: () => state.plan, load: async () => {} }, childId);
  try {
    const replayed = replay(type, id, state, tail, payloads);
    return { id, state: replayed.state as Execution };
  } catch (fault) {
    return { id, fault };
  }
}
