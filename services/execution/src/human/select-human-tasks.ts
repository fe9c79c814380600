import type { Queryable } from "@heddle/store";
import { positionUnknown } from "../handlers/page.ts";

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

/** By priority, then the oldest first, behind a position (empty: from the beginning). */
export async function selectHumanTasks(
  database: Queryable,
  filter: HumanTaskFilter,
  after: string,
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
  if (after !== "") {
    const { priority, createdAtMs, taskId } = parsePosition(after);
    values.push(priority, new Date(createdAtMs).toISOString());
    const place = `$${values.length - 1}::smallint, $${values.length}::timestamptz`;
    add((p) => `(priority, created_at, task_id) > (${place}, ${p}::text)`, taskId);
  }
  values.push(limit);
  const { rows } = await database.query<HumanTaskRow>({
    text: `${SELECT} where ${conditions.join(" and ")} order by priority, created_at, task_id limit $${values.length}`,
    values,
  });
  return rows;
}

/** Where a task stands in the list. The position and not the row, which is gone when its execution is deleted meanwhile. */
export function positionOf(row: HumanTaskRow): string {
  return `${row.priority}/${row.created_at.getTime()}/${row.task_id}`;
}

function parsePosition(position: string): { priority: number; createdAtMs: number; taskId: string } {
  const [, priority, time, taskId] = /^(\d{1,4})\/(\d{1,15})\/(.+)$/.exec(position) ?? [];
  if (priority === undefined || time === undefined || taskId === undefined) {
    throw positionUnknown();
  }
  return { priority: Number(priority), createdAtMs: Number(time), taskId };
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
