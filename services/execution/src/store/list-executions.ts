import type { JsonObject } from "@heddle/engine";
import type { Queryable } from "@heddle/store";
import { type AttributeCondition, attributeConditionSql } from "./attributes.ts";

export interface ExecutionFilter {
  namespace: string;
  /** Empty means all. */
  workflowId: string;
  /** 0 means all. */
  status: number;
  labels: Record<string, string>;
  /** RFC 3339, or empty. */
  startedAfter: string;
  /** RFC 3339, or empty. */
  startedBefore: string;
  /** Empty means all. */
  parentExecutionId: string;
  /** Empty means all. */
  workflowKey: string;
  attributes: readonly AttributeCondition[];
  /** Only those with an open incident. */
  hasIncidents: boolean;
}

export interface ExecutionRow {
  execution_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  status: number;
  request_id: string;
  parent_execution_id: string | null;
  parent_node_id: string | null;
  priority: number;
  labels: Record<string, string>;
  failure_type: string | null;
  failure_message: string | null;
  failure_node_id: string | null;
  started_at: Date;
  ended_at: Date | null;
  last_seq: string;
  workflow_key: string;
  attributes: JsonObject;
  open_incidents: number;
}

const SELECT = `select execution_id, namespace, workflow_id, version, status, request_id, parent_execution_id, parent_node_id,
  priority, labels, failure_type, failure_message, failure_node_id, started_at, ended_at, last_seq, workflow_key, attributes,
  (select count(*)::integer from incidents where incidents.execution_id = executions.execution_id) as open_incidents from executions`;

/**
 * A condition on what a query finds that gives few rows, looked up one by one. As a join the planner might go through the executions instead, newest
 * first, until it has met enough: all of them when those that are found are old.
 */
export function anyOfFew(query: string): string {
  return `any(array(${query}))`;
}

/** The filter as a condition on `executions`, whose values are added to `values`. */
export function filterSql(filter: ExecutionFilter, values: unknown[]): string {
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const namespace = parameter(filter.namespace);
  const conditions = [`namespace = ${namespace}`];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    conditions.push(condition(parameter(value)));
  };
  if (filter.workflowId !== "") add((p) => `workflow_id = ${p}`, filter.workflowId);
  // Written out and not as a parameter where the planner must see it to choose the partial index.
  if (filter.status !== 0) conditions.push(`status = ${Number(filter.status)}`);
  if (Object.keys(filter.labels).length > 0) {
    add((p) => `labels <> '{}' and labels @> ${p}::jsonb`, JSON.stringify(filter.labels));
  }
  if (filter.startedAfter !== "") add((p) => `started_at >= ${p}::timestamptz`, filter.startedAfter);
  if (filter.startedBefore !== "") add((p) => `started_at < ${p}::timestamptz`, filter.startedBefore);
  if (filter.parentExecutionId !== "") add((p) => `parent_execution_id = ${p}::uuid`, filter.parentExecutionId);
  if (filter.workflowKey !== "") add((p) => `workflow_key = ${p} and workflow_key <> ''`, filter.workflowKey);
  if (filter.hasIncidents) {
    conditions.push(`execution_id = ${anyOfFew(`select execution_id from incidents where namespace = ${namespace}`)}`);
  }
  for (const attribute of filter.attributes) conditions.push(attributeConditionSql(attribute, parameter));
  return conditions.join(" and ");
}

/** Newest first, before `beforeId` (empty: from the newest). */
export async function listExecutions(
  database: Queryable,
  filter: ExecutionFilter,
  beforeId: string,
  limit: number,
): Promise<ExecutionRow[]> {
  const values: unknown[] = [];
  const conditions = [filterSql(filter, values)];
  if (beforeId !== "") conditions.push(`execution_id < $${values.push(beforeId)}::uuid`);
  values.push(limit);
  const { rows } = await database.query<ExecutionRow>({
    text: `${SELECT} where ${conditions.join(" and ")} order by execution_id desc limit $${values.length}`,
    values,
  });
  return rows;
}
