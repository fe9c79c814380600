import { findHumanTask, type HumanTaskState, humanTaskNotFound } from "@heddle/engine";
import type { HumanTask } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { type ExecutionContext, readExecution } from "../handlers/context.ts";
import { findHumanTaskRow } from "./select-human-tasks.ts";
import { toHumanTask } from "./to-human-task.ts";

/** The task as it stands now, by the owner of its execution. @throws DomainError HUMAN_TASK_NOT_FOUND, EXECUTION_NOT_FOUND */
export async function describeHumanTask(
  context: ExecutionContext,
  executionId: string,
  taskId: string,
): Promise<HumanTask> {
  const { plan, state } = await readExecution(context, executionId);
  const { namespace, workflowId } = state;
  const found = findHumanTask(plan, state, executionId, taskId);
  if (found !== undefined) {
    return toHumanTask({ executionId, namespace, workflowId, node: found.node }, found.task);
  }
  // Of a turn long past: nothing changes it any more, and what was written of it is true.
  const row = await findHumanTaskRow(context.database, taskId);
  const node = plan.nodes.find(({ id }) => id === row?.node_id);
  if (row === undefined || node === undefined) throw humanTaskNotFound(taskId);
  const task = JSON.parse(row.detail.toString()) as HumanTaskState;
  return toHumanTask({ executionId, namespace, workflowId, node }, task);
}
