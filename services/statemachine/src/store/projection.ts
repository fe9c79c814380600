import { byteaArray, type Projection, writeHistory } from "@heddle/journal";
import { activeStates, type Chart, subscriptionsOf } from "@heddle/statechart";
import type { Database, Queryable } from "@heddle/store";
import { decodeSnapshot, encodeSnapshot, isDone, type Machine } from "../domain/aggregate.ts";
import { PARENT_KIND } from "../domain/enums.ts";
import type { StartedBy } from "../domain/keys.ts";
import { toStatus } from "../domain/to-proto.ts";
import { type CapturedSubscriptions, writeSubscriptions } from "./subscriptions.ts";

/** Loads the chart of a stored machine. */
export type LoadChart = (key: { namespace: string; workflowId: string; version: number }) => Promise<Chart>;

/** A row of `machines`, and whose it is. */
interface Captured {
  /** In the order of COLUMNS. */
  row: readonly unknown[];
  startedBy: StartedBy;
  subscribing: CapturedSubscriptions;
}

/** Lists of names are passed as the text of an array, because Postgres would make one list of a list of lists. */
const COLUMNS: readonly (readonly [name: string, type: string, cast?: string])[] = [
  ["machine_id", "uuid"],
  ["partition", "smallint"],
  ["namespace", "text"],
  ["workflow_id", "text"],
  ["version", "integer"],
  ["key", "text"],
  ["request_id", "text"],
  ["status", "smallint"],
  ["configuration", "text", "text[]"],
  ["states", "text", "text[]"],
  ["parent_kind", "smallint"],
  ["parent_id", "text"],
  ["parent_name", "text"],
  ["labels", "jsonb"],
  ["failure_type", "text"],
  ["failure_message", "text"],
  ["created_at", "timestamptz"],
  ["ended_at", "timestamptz"],
  ["last_seq", "bigint"],
  ["live", "boolean"],
  ["snapshot", "bytea"],
];

/** What changes after the creation. */
const MUTABLE = [
  "version",
  "status",
  "configuration",
  "states",
  "failure_type",
  "failure_message",
  "ended_at",
  "last_seq",
  "live",
  "snapshot",
];

const names = COLUMNS.map(([name]) => name);

const UPSERT = {
  name: "upsert-machines",
  text: `insert into machines (${names.join(", ")})
    select ${COLUMNS.map(([name, , cast]) => (cast === undefined ? name : `${name}::${cast}`)).join(", ")}
    from unnest(${COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ")}) as fresh (${names.join(", ")})
    on conflict (machine_id) do update set ${MUTABLE.map((name) => `${name} = excluded.${name}`).join(", ")}`,
};

const MAX_FAILURE_MESSAGE = 1024;

/** Writes `machines` and the history, and reads machines back from there. */
export function createMachineProjection(
  database: Database,
  loadChart: LoadChart,
  onDone: (machines: readonly StartedBy[]) => void,
): Projection<Machine, Captured> {
  /** A machine may have come here from a version that subscribes: its rows go with the next flush. */
  let anySubscribes = false;

  const restore = async (rows: readonly SnapshotRow[]): Promise<{ id: string; state: Machine }[]> => {
    const restored: { id: string; state: Machine }[] = [];
    for (const row of rows) {
      const chart = await loadChart({ namespace: row.namespace, workflowId: row.workflow_id, version: row.version });
      anySubscribes ||= chart.subscribes;
      restored.push({
        id: row.machine_id,
        state: decodeSnapshot(chart, row.snapshot.toString(), Number(row.last_seq)),
      });
    }
    return restored;
  };

  return {
    capture({ id, partition, state: machine }) {
      const { chart, state } = machine;
      anySubscribes ||= chart.subscribes;
      return {
        row: rowOf(id, partition, machine),
        startedBy: state,
        subscribing: {
          machineId: id,
          namespace: state.namespace,
          since: isoTime(state.createdAt),
          subscriptions: subscriptionsOf(chart, state, id),
        },
      };
    },
    async write(transaction, changes) {
      const values = COLUMNS.map(([, type], column) => {
        const cells = changes.map(({ captured }) => captured.row[column]);
        return type === "bytea" ? byteaArray(cells as Buffer[]) : cells;
      });
      await transaction.query({ ...UPSERT, values });
      await writeHistory(transaction, changes);
      if (anySubscribes) {
        await writeSubscriptions(
          transaction,
          changes.map(({ captured }) => captured.subscribing),
        );
      }
      onDone(changes.filter(({ finished }) => finished).map(({ captured }) => captured.startedBy));
    },
    async loadLive(partition) {
      return restore(await select(database, "partition = $1 and live", partition));
    },
    async load(ids) {
      return restore(await select(database, "machine_id = any($1::uuid[])", ids));
    },
  };
}

function rowOf(id: string, partition: number, machine: Machine): unknown[] {
  const { chart, state, seq } = machine;
  return [
    id,
    partition,
    state.namespace,
    state.workflowId,
    state.version,
    state.key,
    state.requestId,
    toStatus(state.status),
    arrayText(activeStates(chart, state)),
    arrayText(state.configuration.map((index) => chart.states[index]?.id ?? "")),
    state.parent === undefined ? 0 : PARENT_KIND[state.parent.kind],
    state.parent?.id ?? "",
    state.parent?.name ?? "",
    labelsText(state.labels),
    storable(state.failure?.type) ?? null,
    storable(state.failure?.message.slice(0, MAX_FAILURE_MESSAGE)) ?? null,
    isoTime(state.createdAt),
    state.endedAt === undefined ? null : isoTime(state.endedAt),
    seq,
    !isDone(state),
    Buffer.from(encodeSnapshot(machine)),
  ];
}

/** The text of a Postgres array. */
function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
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

interface SnapshotRow {
  machine_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  last_seq: string;
  snapshot: Buffer;
}

async function select(database: Queryable, condition: string, value: unknown): Promise<SnapshotRow[]> {
  const { rows } = await database.query<SnapshotRow>({
    text: `select machine_id, namespace, workflow_id, version, last_seq, snapshot from machines where ${condition}`,
    values: [value],
  });
  return rows;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
