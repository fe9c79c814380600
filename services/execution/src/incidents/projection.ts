import {
  cutText,
  type ExecutionState,
  type LinkedNode,
  listOpenIncidents,
  listTurns,
  type NodeState,
  type OpenIncident,
} from "@heddle/engine";
import type { Transaction } from "@heddle/store";
import type { Execution } from "../domain/aggregate.ts";
import { isoTime, MAX_FAILURE_MESSAGE, storable } from "../store/projection.ts";
import { type Columns, toParameters, upsertSql } from "../store/upsert.ts";
import type { SideTable } from "../store/write-beside.ts";

const COLUMNS: Columns = [
  ["execution_id", "uuid"],
  ["node_id", "text"],
  ["partition", "smallint"],
  ["namespace", "text"],
  ["workflow_id", "text"],
  ["version", "integer"],
  ["kind", "text"],
  ["turns", "jsonb"],
  ["parent_execution_id", "uuid"],
  ["parent_node_id", "text"],
  ["failure_type", "text"],
  ["failure_message", "text"],
  ["failure_node_id", "text"],
  ["business", "boolean"],
  ["attempts", "integer"],
  ["opened_at", "timestamptz"],
];

/** What another incident of the same node differs in. */
const MUTABLE = ["turns", "failure_type", "failure_message", "failure_node_id", "business", "attempts", "opened_at"];

const UPSERT = {
  name: "upsert-incidents",
  text: upsertSql("incidents", COLUMNS, ["execution_id", "node_id"], MUTABLE),
};

const DELETE = {
  name: "delete-incidents",
  text: `delete from incidents i using unnest($1::uuid[], $2::text[]) as gone (execution_id, node_id)
    where i.execution_id = gone.execution_id and i.node_id = gone.node_id`,
};

const DELETE_ALL = {
  name: "delete-incidents-of-executions",
  text: "delete from incidents where execution_id = any($1::uuid[])",
};

/** Open incidents of one execution: of each node, since when. */
type Open = ReadonlyMap<number, number>;

interface CapturedIncidents {
  executionId: string;
  state: ExecutionState;
  open: Open;
  /** What the table has of the execution is not known. */
  replacesAll: boolean;
  /** Of those that the table does not have. */
  rows: readonly (readonly unknown[])[];
  /** Nodes of those that are over. */
  overNodeIds: readonly string[];
}

/**
 * Writes `incidents`: of each execution what has changed since it was written last. What is written is known only once it is committed: after a
 * failure, a start, or a change of the owner, all of an execution is written anew with its next change.
 */
export function createIncidentTable(): SideTable<CapturedIncidents> {
  const known = new WeakMap<ExecutionState, Open>();
  return {
    capture({ id, partition, execution }) {
      const { state, plan } = execution;
      // Nearly all executions: nothing has ever been written of them.
      if (state.incidents === undefined) return undefined;
      const incidents = listOpenIncidents(state);
      const open: Open = new Map(incidents.map(({ node, openedAt }) => [node, openedAt]));
      const before = known.get(state);
      const fresh = incidents.filter(({ node, openedAt }) => before?.get(node) !== openedAt);
      const over = [...(before?.keys() ?? [])].filter((node) => !open.has(node));
      if (before !== undefined && fresh.length === 0 && over.length === 0) return undefined;
      known.delete(state);
      return {
        executionId: id,
        state,
        open,
        replacesAll: before === undefined,
        rows: fresh.map((incident) => rowOf(id, partition, execution, incident)),
        overNodeIds: over.map((node) => (plan.nodes[node] as LinkedNode).id),
      };
    },
    async write(transaction, captured) {
      await deleteOver(transaction, captured);
      const rows = captured.flatMap((one) => one.rows);
      if (rows.length > 0) await transaction.query({ ...UPSERT, values: toParameters(COLUMNS, rows) });
    },
    written(captured) {
      for (const { state, open } of captured) known.set(state, open);
    },
  };
}

async function deleteOver(transaction: Transaction, captured: readonly CapturedIncidents[]): Promise<void> {
  const replaced = captured.filter(({ replacesAll }) => replacesAll).map(({ executionId }) => executionId);
  if (replaced.length > 0) await transaction.query({ ...DELETE_ALL, values: [replaced] });
  const over = captured.flatMap(({ executionId, overNodeIds }) => overNodeIds.map((id) => [executionId, id]));
  if (over.length === 0) return;
  await transaction.query({ ...DELETE, values: [over.map(([id]) => id), over.map(([, nodeId]) => nodeId)] });
}

function rowOf(
  executionId: string,
  partition: number,
  { plan, state }: Execution,
  { node: index, openedAt }: OpenIncident,
): unknown[] {
  const node = plan.nodes[index] as LinkedNode;
  const { failure, attempt } = state.nodes[index] as NodeState;
  return [
    executionId,
    node.id,
    partition,
    state.namespace,
    state.workflowId,
    state.version,
    node.definition.kind,
    JSON.stringify(listTurns(plan, state, node).map(({ nodeId, turn }) => [nodeId, turn])),
    state.parent?.executionId ?? null,
    state.parent?.nodeId ?? null,
    storable(failure?.type) ?? "",
    storable(cutText(failure?.message ?? "", MAX_FAILURE_MESSAGE)),
    failure?.nodeId ?? null,
    failure?.business === true,
    attempt,
    isoTime(openedAt),
  ];
}
