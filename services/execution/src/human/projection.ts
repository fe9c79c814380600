import { type HumanTaskState, humanTaskId, type LinkedNode } from "@heddle/engine";
import type { Transaction } from "@heddle/store";
import type { Execution } from "../domain/aggregate.ts";
import { isoTime, storable } from "../store/projection.ts";
import { type Columns, toParameters, upsertSql } from "../store/upsert.ts";
import type { SideTable } from "../store/write-beside.ts";
import { toTaskStatus } from "./to-human-task.ts";

const COLUMNS: Columns = [
  ["task_id", "text"],
  ["execution_id", "uuid"],
  ["namespace", "text"],
  ["workflow_id", "text"],
  ["version", "integer"],
  ["node_id", "text"],
  ["restarts", "integer"],
  ["status", "smallint"],
  ["title", "text"],
  ["assignee", "text"],
  ["groups", "jsonb"],
  ["priority", "smallint"],
  ["escalations", "integer"],
  ["created_at", "timestamptz"],
  ["due_at", "timestamptz"],
  ["ended_at", "timestamptz"],
  ["detail", "bytea"],
];

const MUTABLE = ["status", "assignee", "groups", "escalations", "due_at", "ended_at", "detail"];

const UPSERT = { name: "upsert-human-tasks", text: upsertSql("human_tasks", COLUMNS, ["task_id"], MUTABLE) };

/**
 * A loop that has asked oftener since the last flush than an execution remembers: how those tasks ended is in the history,
 * and here they must not seem to wait.
 */
const CLOSE_FORGOTTEN = {
  name: "close-forgotten-human-tasks",
  text: `update human_tasks t set status = $4, ended_at = now(), due_at = null
    from unnest($1::uuid[], $2::text[], $3::integer[]) as live (execution_id, node_id, restarts)
    where t.execution_id = live.execution_id and t.node_id = live.node_id and t.restarts < live.restarts and t.ended_at is null`,
};

interface CapturedTask {
  task: HumanTaskState;
  revision: number;
  row: readonly unknown[];
}

/** `human_tasks`: those that have changed since they were written last. */
export function createHumanTaskTable(): SideTable<CapturedTask[]> {
  // Nothing is here after a start, so each is written once more; a task that is forgotten takes its entry along.
  const written = new WeakMap<HumanTaskState, number>();
  return {
    capture({ id, execution }) {
      const changed = (execution.state.humanTasks ?? []).filter((task) => written.get(task) !== task.revision);
      if (changed.length === 0) return undefined;
      return changed.map((task) => ({ task, revision: task.revision, row: rowOf(id, execution, task) }));
    },
    write: (transaction, captured) => writeTasks(transaction, captured.flat()),
    written(captured) {
      for (const { task, revision } of captured.flat()) written.set(task, revision);
    },
  };
}

async function writeTasks(transaction: Transaction, tasks: readonly CapturedTask[]): Promise<void> {
  const rows = tasks.map(({ row }) => row);
  await transaction.query({ ...UPSERT, values: toParameters(COLUMNS, rows) });
  const repeated = tasks.filter(({ task }) => (task.restarts ?? 0) > 0 && task.endedAt === undefined);
  if (repeated.length === 0) return;
  await transaction.query({
    ...CLOSE_FORGOTTEN,
    values: [
      ...["execution_id", "node_id", "restarts"].map((name) => cellsOf(repeated, name)),
      toTaskStatus("canceled"),
    ],
  });
}

function cellsOf(tasks: readonly CapturedTask[], name: string): unknown[] {
  const column = COLUMNS.findIndex(([of]) => of === name);
  return tasks.map(({ row }) => row[column]);
}

function rowOf(executionId: string, { plan, state }: Execution, task: HumanTaskState): unknown[] {
  const node = plan.nodes[task.node] as LinkedNode;
  return [
    humanTaskId(executionId, node.id, task),
    executionId,
    state.namespace,
    state.workflowId,
    state.version,
    node.id,
    task.restarts ?? 0,
    toTaskStatus(task.status),
    storable(task.title),
    storable(task.assignee) ?? null,
    JSON.stringify(task.groups.map((group) => storable(group.toWellFormed()))),
    task.priority,
    task.step ?? 0,
    isoTime(task.createdAt),
    task.dueAt === undefined ? null : isoTime(task.dueAt),
    task.endedAt === undefined ? null : isoTime(task.endedAt),
    Buffer.from(JSON.stringify(task)),
  ];
}
