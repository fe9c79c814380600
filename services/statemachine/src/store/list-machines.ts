import type { Queryable } from "@heddle/store";

export interface MachineFilter {
  namespace: string;
  /** Empty means all. */
  workflowId: string;
  /** 0 means all. */
  status: number;
  /** Active, atomic or not; empty means any. */
  state: string;
  /** Empty means any. */
  key: string;
  labels: Record<string, string>;
}

export interface MachineRow {
  machine_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  key: string;
  status: number;
  configuration: string[];
  parent_kind: number;
  parent_id: string;
  parent_name: string;
  labels: Record<string, string>;
  failure_type: string | null;
  failure_message: string | null;
  created_at: Date;
  ended_at: Date | null;
  last_seq: string;
}

const SELECT = `select machine_id, namespace, workflow_id, version, key, status, configuration, parent_kind, parent_id,
  parent_name, labels, failure_type, failure_message, created_at, ended_at, last_seq from machines`;

/** Newest first, before `beforeId` (empty: from the newest). */
export async function listMachines(
  database: Queryable,
  filter: MachineFilter,
  beforeId: string,
  limit: number,
): Promise<MachineRow[]> {
  const values: unknown[] = [filter.namespace];
  const conditions = ["namespace = $1"];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (filter.workflowId !== "") add((p) => `workflow_id = ${p}`, filter.workflowId);
  if (filter.status !== 0) add((p) => `status = ${p}`, filter.status);
  if (filter.state !== "") add((p) => `states @> array[${p}]::text[]`, filter.state);
  if (filter.key !== "") add((p) => `key = ${p} and key <> ''`, filter.key);
  if (Object.keys(filter.labels).length > 0) {
    add((p) => `labels <> '{}' and labels @> ${p}::jsonb`, JSON.stringify(filter.labels));
  }
  if (beforeId !== "") add((p) => `machine_id < ${p}::uuid`, beforeId);
  values.push(limit);
  const { rows } = await database.query<MachineRow>({
    text: `${SELECT} where ${conditions.join(" and ")} order by machine_id desc limit $${values.length}`,
    values,
  });
  return rows;
}
