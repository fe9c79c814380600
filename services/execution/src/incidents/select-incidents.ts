import type { Queryable } from "@heddle/store";
import { positionUnknown } from "../handlers/page.ts";

/** All conditions must hold. Empty means all. */
export interface IncidentFilter {
  namespace: string;
  workflowId: string;
  failureType: string;
  nodeId: string;
  executionId: string;
  parentExecutionId: string;
  /** RFC 3339, inclusive. */
  openedAfter: string;
  /** RFC 3339, exclusive. */
  openedBefore: string;
}

export interface IncidentRow {
  execution_id: string;
  node_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  kind: string;
  turns: [nodeId: string, turn: number][];
  parent_execution_id: string | null;
  parent_node_id: string | null;
  failure_type: string;
  failure_message: string;
  failure_node_id: string | null;
  business: boolean;
  attempts: number;
  opened_at: Date;
}

const SELECT = `select execution_id, node_id, namespace, workflow_id, version, kind, turns, parent_execution_id,
  parent_node_id, failure_type, failure_message, failure_node_id, business, attempts, opened_at from incidents`;

const CONDITIONS: readonly (readonly [field: keyof IncidentFilter, condition: (parameter: string) => string])[] = [
  ["workflowId", (p) => `workflow_id = ${p}`],
  ["failureType", (p) => `failure_type = ${p}`],
  ["nodeId", (p) => `node_id = ${p}`],
  ["executionId", (p) => `execution_id = ${p}::uuid`],
  ["parentExecutionId", (p) => `parent_execution_id = ${p}::uuid`],
  ["openedAfter", (p) => `opened_at >= ${p}::timestamptz`],
  ["openedBefore", (p) => `opened_at < ${p}::timestamptz`],
];

/** The oldest first, behind a position (empty: from the beginning). */
export async function selectIncidents(
  database: Queryable,
  filter: IncidentFilter,
  after: string,
  limit: number,
): Promise<IncidentRow[]> {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [`namespace = ${parameter(filter.namespace)}`];
  for (const [field, condition] of CONDITIONS) {
    if (filter[field] !== "") conditions.push(condition(parameter(filter[field])));
  }
  if (after !== "") {
    const { openedAtMs, executionId, nodeId } = parsePosition(after);
    const place = `${parameter(new Date(openedAtMs).toISOString())}::timestamptz, ${parameter(executionId)}::uuid, ${parameter(nodeId)}`;
    conditions.push(`(opened_at, execution_id, node_id) > (${place})`);
  }
  const { rows } = await database.query<IncidentRow>({
    text: `${SELECT} where ${conditions.join(" and ")} order by opened_at, execution_id, node_id limit ${parameter(limit)}`,
    values,
  });
  return rows;
}

/** Where an incident stands in the list. The position and not the row, which is gone when somebody resolves it meanwhile. */
export function positionOf(row: IncidentRow): string {
  return `${row.opened_at.getTime()}/${row.execution_id}/${row.node_id}`;
}

function parsePosition(position: string): { openedAtMs: number; executionId: string; nodeId: string } {
  const [, time, executionId, nodeId] = /^(\d{1,15})\/([0-9a-f-]{36})\/(.+)$/.exec(position) ?? [];
  if (time === undefined || executionId === undefined || nodeId === undefined) {
    throw positionUnknown();
  }
  return { openedAtMs: Number(time), executionId, nodeId };
}
