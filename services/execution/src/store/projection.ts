import type { ExecutionState, Plan } from "@heddle/engine";
import { byteaArray, type Loaded, type Projection, writeHistory } from "@heddle/journal";
import type { Database, Queryable } from "@heddle/store";
import { encodeSnapshot, type Execution } from "../domain/aggregate.ts";
import { toStatus } from "../domain/to-proto.ts";
import { restoreExecutions, type SnapshotRow, type StoredExecution } from "./restore-executions.ts";
import { createSnapshotPace } from "./snapshot-pace.ts";

/** Loads the plan of a stored execution. */
export type LoadPlan = (key: { namespace: string; workflowId: string; version: number }) => Promise<Plan>;

/** One row of `executions`, in the order of COLUMNS. Without a snapshot the stored one stays. */
type Row = readonly unknown[];

interface Captured {
  row: Row;
  /** Only to know the execution again. */
  state: ExecutionState;
}

const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ["execution_id", "uuid"],
  ["partition", "smallint"],
  ["namespace", "text"],
  ["workflow_id", "text"],
  ["version", "integer"],
  ["status", "smallint"],
  ["request_id", "text"],
  ["parent_execution_id", "uuid"],
  ["parent_node_id", "text"],
  ["priority", "smallint"],
  ["labels", "jsonb"],
  ["failure_type", "text"],
  ["failure_message", "text"],
  ["failure_node_id", "text"],
  ["started_at", "timestamptz"],
  ["ended_at", "timestamptz"],
  ["last_seq", "bigint"],
  ["snapshot", "bytea"],
];

const NAMESPACE = COLUMNS.findIndex(([name]) => name === "namespace");
const SNAPSHOT = COLUMNS.findIndex(([name]) => name === "snapshot");
const REQUEST_ID = COLUMNS.findIndex(([name]) => name === "request_id");

/** What changes after the start. */
const MUTABLE = ["status", "failure_type", "failure_message", "failure_node_id", "ended_at", "last_seq", "snapshot"];

const UPSERT = {
  name: "upsert-executions",
  text: `insert into executions (${COLUMNS.map(([name]) => name).join(", ")})
    select * from unnest(${COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ")})
    on conflict (execution_id) do update set ${MUTABLE.map((name) => `${name} = excluded.${name}`).join(", ")}`,
};

/** The same for rows whose snapshot stays as it is. */
const UPDATED = COLUMNS.filter(([name]) => name === "execution_id" || (MUTABLE.includes(name) && name !== "snapshot"));
const UPDATE = {
  name: "update-executions",
  text: `update executions as e set ${UPDATED.slice(1)
    .map(([name]) => `${name} = r.${name}`)
    .join(", ")}
    from unnest(${UPDATED.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ")})
      as r (${UPDATED.map(([name]) => name).join(", ")})
    where e.execution_id = r.execution_id`,
};

const MAX_FAILURE_MESSAGE = 1024;

/**
 * Writes `executions` and the history, and reads executions back from there. `onFinished` is told of executions whose end
 * is committed to both.
 */
export function createExecutionProjection(
  database: Database,
  loadPlan: LoadPlan,
  onFinished: (executions: readonly { namespace: string; requestId: string }[]) => void,
): Projection<Execution, Captured> {
  const pace = createSnapshotPace();

  const restore = async (rows: readonly PlannedRow[]): Promise<Loaded<Execution>[]> => {
    const stored: StoredExecution[] = [];
    for (const row of rows) {
      const plan = await loadPlan({ namespace: row.namespace, workflowId: row.workflow_id, version: row.version });
      stored.push({ row, plan });
    }
    const loaded = await restoreExecutions(database, stored);
    for (const [index, one] of loaded.entries()) {
      const { snapshot } = (stored[index] as StoredExecution).row;
      if ("state" in one) pace.stored(one.state.state, snapshot.length);
    }
    return loaded;
  };

  return {
    capture({ id, partition, state: execution, finished, events }) {
      const { state } = execution;
      const snapshot = pace.isDue(state, events, finished) ? Buffer.from(encodeSnapshot(execution)) : null;
      const row = [
        id,
        partition,
        state.namespace,
        state.workflowId,
        state.version,
        toStatus(state.status),
        state.requestId,
        state.parent?.executionId ?? null,
        state.parent?.nodeId ?? null,
        state.priority,
        labelsText(state.labels),
        storable(state.failure?.type) ?? (state.status === "canceled" ? "canceled" : null),
        storable((state.failure?.message ?? state.reason)?.slice(0, MAX_FAILURE_MESSAGE)) ?? null,
        state.failure?.nodeId ?? null,
        isoTime(state.startedAt),
        state.endedAt === undefined ? null : isoTime(state.endedAt),
        execution.seq,
        snapshot,
      ];
      return { row, state };
    },
    async write(transaction, changes) {
      const rows = changes.map(({ captured }) => captured.row);
      await store(transaction, UPSERT, COLUMNS, rows.filter(hasSnapshot));
      await store(
        transaction,
        UPDATE,
        UPDATED,
        rows.filter((row) => !hasSnapshot(row)),
      );
      await writeHistory(transaction, changes);
    },
    written(changes) {
      for (const { captured } of changes) {
        const snapshot = captured.row[SNAPSHOT] as Buffer | null;
        if (snapshot !== null) pace.stored(captured.state, snapshot.length);
      }
      onFinished(
        changes
          .filter((change) => change.finished)
          .map(({ captured }) => ({
            namespace: captured.row[NAMESPACE] as string,
            requestId: captured.row[REQUEST_ID] as string,
          })),
      );
    },
    async loadLive(partition) {
      return restore(await select(database, "partition = $1 and ended_at is null", partition));
    },
    async load(ids) {
      return restore(await select(database, "execution_id = any($1::uuid[])", ids));
    },
  };
}

/** Postgres takes no NUL, and a refused row would hold up its partition's projection. The snapshot keeps what was said. */
function storable<T extends string | undefined>(text: T): T {
  return text?.replaceAll("\u0000", "\ufffd") as T;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(labels);
  if (!text.includes("\\u0000")) return text;
  return JSON.stringify(
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [storable(key), storable(value)])),
  );
}

interface PlannedRow extends SnapshotRow {
  namespace: string;
  workflow_id: string;
  version: number;
}

function hasSnapshot(row: Row): boolean {
  return row[SNAPSHOT] !== null;
}

async function store(
  transaction: Queryable,
  statement: { name: string; text: string },
  columns: typeof COLUMNS,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const values = columns.map((column) => {
    const at = COLUMNS.indexOf(column);
    const cells = rows.map((row) => row[at]);
    return column[1] === "bytea" ? byteaArray(cells as Buffer[]) : cells;
  });
  await transaction.query({ ...statement, values });
}

async function select(database: Queryable, condition: string, value: unknown): Promise<PlannedRow[]> {
  const { rows } = await database.query<PlannedRow>({
    text: `select execution_id, namespace, workflow_id, version, last_seq, snapshot from executions where ${condition}`,
    values: [value],
  });
  return rows;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
