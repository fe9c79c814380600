import type { Attributes, ExecutionState, Plan } from "@heddle/engine";
import { byteaArray, type Loaded, type Projection, writeHistory } from "@heddle/journal";
import type { Database, Queryable } from "@heddle/store";
import { encodeSnapshot, type Execution } from "../domain/aggregate.ts";
import { toStatus } from "../domain/to-proto.ts";
import { findPurgeTime, type Retention } from "../retention/retention.ts";
import { type IndexedExecution, writeAttributes } from "./attributes.ts";
import { restoreExecutions, type SnapshotRow, type StoredExecution } from "./restore-executions.ts";
import { createSnapshotPace } from "./snapshot-pace.ts";
import { type Columns, upsertSql } from "./upsert.ts";

/** Loads the plan of a stored execution. */
export type LoadPlan = (key: { namespace: string; workflowId: string; version: number }) => Promise<Plan>;

/** One row of `executions`, in the order of COLUMNS. Without a snapshot the stored one stays. */
type Row = readonly unknown[];

interface Captured {
  row: Row;
  /** Only to know the execution again. */
  state: ExecutionState;
}

const COLUMNS: Columns = [
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
  ["workflow_key", "text"],
  ["attributes", "jsonb"],
  ["purge_at", "timestamptz"],
];

const NAMESPACE = COLUMNS.findIndex(([name]) => name === "namespace");
const SNAPSHOT = COLUMNS.findIndex(([name]) => name === "snapshot");
const REQUEST_ID = COLUMNS.findIndex(([name]) => name === "request_id");
const WORKFLOW_KEY = COLUMNS.findIndex(([name]) => name === "workflow_key");
const ATTRIBUTES = COLUMNS.findIndex(([name]) => name === "attributes");

/** What changes after the start. */
const MUTABLE = [
  "status",
  "failure_type",
  "failure_message",
  "failure_node_id",
  "ended_at",
  "last_seq",
  "snapshot",
  "attributes",
  "purge_at",
];

const UPSERT = {
  name: "upsert-executions",
  text: upsertSql("executions", COLUMNS, ["execution_id"], MUTABLE),
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

/** Characters of a failure's message in lists. */
export const MAX_FAILURE_MESSAGE = 1024;

export interface FinishedExecution {
  id: string;
  namespace: string;
  /** May be empty. */
  requestId: string;
  /** May be empty. */
  workflowKey: string;
}

/**
 * Writes `executions` and the history, and reads executions back from there. `onFinished` is told of executions whose end
 * is committed to both.
 */
export function createExecutionProjection(
  database: Database,
  loadPlan: LoadPlan,
  onFinished: (executions: readonly FinishedExecution[]) => void,
  retention: Retention = {},
): Projection<Execution, Captured> {
  const pace = createSnapshotPace();

  const purgeTimeOf = ({ state, plan }: Execution): string | null => {
    const { namespace, endedAt } = state;
    const purgeAt = findPurgeTime(retention, { namespace, endedAt, retentionMs: plan.document.retentionMs });
    return purgeAt === undefined ? null : isoTime(purgeAt);
  };
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
        state.workflowKey ?? "",
        // Never set: nothing to keep in the index of attributes. Empty: they were taken away.
        state.attributes === undefined ? null : JSON.stringify(state.attributes),
        purgeTimeOf(execution),
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
      await writeAttributes(transaction, changes.flatMap(indexedOf));
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
          .map(({ id, captured: { row } }) => ({
            id,
            namespace: row[NAMESPACE] as string,
            requestId: row[REQUEST_ID] as string,
            workflowKey: row[WORKFLOW_KEY] as string,
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

function indexedOf({ id, captured }: { id: string; captured: Captured }): IndexedExecution[] {
  const text = captured.row[ATTRIBUTES] as string | null;
  if (text === null) return [];
  return [{ id, namespace: captured.row[NAMESPACE] as string, attributes: JSON.parse(text) as Attributes }];
}

/** Postgres takes no NUL, and a refused row would hold up its partition's projection. The snapshot keeps what was said. */
export function storable<T extends string | undefined>(text: T): T {
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
    const cells = rows.map((row) => (at === ATTRIBUTES ? (row[at] ?? "{}") : row[at]));
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

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
