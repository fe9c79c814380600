import type { ExecutionState } from "./execution-state.ts";
import type { HumanTaskState } from "./human-task.ts";
import { runName } from "./obligations.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";

/** Names the task to the outside. */
export function humanTaskId(
  executionId: string,
  nodeId: string,
  { restarts }: Pick<HumanTaskState, "restarts">,
): string {
  return `${executionId}/${runName(nodeId, { restarts })}`;
}

/** The execution that a task is of; undefined when the text cannot be the id of one. */
export function executionOfHumanTask(taskId: string): string | undefined {
  const at = taskId.indexOf("/");
  return at <= 0 ? undefined : taskId.slice(0, at);
}

/** The task with this id, unless it is of a turn long past. */
export function findHumanTask(
  plan: Plan,
  state: ExecutionState,
  executionId: string,
  taskId: string,
): { task: HumanTaskState; node: LinkedNode } | undefined {
  for (const task of state.humanTasks ?? []) {
    const node = plan.nodes[task.node] as LinkedNode;
    if (humanTaskId(executionId, node.id, task) === taskId) return { task, node };
  }
  return undefined;
}

/** The one that its node waits for, or has waited for since it began. */
export function currentHumanTask(state: ExecutionState, node: number): HumanTaskState | undefined {
  const { restarts = 0 } = state.nodes[node] as NodeState;
  return state.humanTasks?.findLast((task) => task.node === node && (task.restarts ?? 0) === restarts);
}
