import type { Queryable } from "@heddle/store";

export interface HumanTaskFilter {
  namespace: string;
  /** Empty means all. */
  assignee: string;
  /** Empty means all. */
  group: string;
  /** 0 means those that wait, unless `all`. */
  status: number;
  all: boolean;
  /** Empty means all. */
  workflowId: string;
  /** Empty means all. */
  executionId: string;
}

export interface HumanTaskRow {
  task_id: string;
  execution_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  node_id: string;
  status: number;
  title: string;
  assignee: string | null;
  groups: string[];
  priority: number;
  escalations: number;
  created_at: Date;
  due_at: Date | null;
  ended_at: Date | null;
}

const SELECT = `select task_id, execution_id, namespace, workflow_id, version, node_id, status, title, assignee, groups, priority,
  escalations, created_at, due_at, ended_at from human_tasks`;

/** By priority, then the oldest first, after `afterId` (empty: from the beginning). */
export async function selectHumanTasks(
  database: Queryable,
  filter: HumanTaskFilter,
  afterId: string,
  limit: number,
): Promise<HumanTaskRow[]> {
  const values: unknown[] = [filter.namespace];
  const conditions = ["namespace = $1"];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  // Written out and not as a parameter where the planner must see it to choose a partial index.
  if (filter.status !== 0) conditions.push(`status = ${Number(filter.status)}`);
  if (!filter.all && filter.status <= 2) conditions.push("ended_at is null");
  if (filter.assignee !== "") add((p) => `assignee = ${p}`, filter.assignee);
  if (filter.group !== "") add((p) => `groups @> ${p}::jsonb`, JSON.stringify([filter.group]));
  if (filter.workflowId !== "") add((p) => `workflow_id = ${p}`, filter.workflowId);
  if (filter.executionId !== "") add((p) => `execution_id = ${p}::uuid`, filter.executionId);
  if (afterId !== "") {
    // The place of the last one; it stays a row, whatever has become of the task since.
    const place = (p: string) => `select priority, created_at, task_id from human_tasks where task_id = ${p}`;
    add((p) => `(priority, created_at, task_id) > (${place(p)})`, afterId);
  }
  values.push(limit);
  const { rows } = await database.query<HumanTaskRow>({
    text: `${SELECT} where ${conditions.join(" and ")} order by priority, created_at, task_id limit $${values.length}`,
    values,
  });
  return rows;
}

/** A task that its execution no longer remembers, with what the engine kept of it. */
export async function findHumanTaskRow(
  database: Queryable,
  taskId: string,
): Promise<
  (Pick<HumanTaskRow, "execution_id" | "namespace" | "workflow_id" | "node_id"> & { detail: Buffer }) | undefined
> {
  const { rows } = await database.query<
    Pick<HumanTaskRow, "execution_id" | "namespace" | "workflow_id" | "node_id"> & { detail: Buffer }
  >({
    name: "find-human-task",
    text: "select execution_id, namespace, workflow_id, node_id, detail from human_tasks where task_id = $1",
    values: [taskId],
  });
  return rows[0];
}
