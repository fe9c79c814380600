import { partitionOfId } from "../execution-id.ts";
import type { LiveExecution, NodeWait, SuiteFacts } from "../facts.ts";
import { aboutExecution, type Finding } from "../finding.ts";
import type { Check } from "./check.ts";

export const wakeUps: Check = {
  id: "wake-ups",
  claim: "each execution that has not ended has something that will wake it",
  subject: "unfinished executions",
  remedy:
    "restart the execution service, or end the process that owns the partition: recovery derives tasks, timers and children from the state anew. If the finding comes back, `heddle get` shows the node that hangs",
  run(facts, report) {
    let looked = 0;
    for (const execution of facts.live.values()) {
      if (execution.ended || execution.quarantined) continue;
      looked += 1;
      for (const finding of findSleepers(execution, facts)) report(finding);
    }
    for (const { executionId, ended } of facts.stored.values()) {
      if (ended || facts.live.has(executionId) || !facts.inspectedPartitions.has(partitionOfId(executionId))) continue;
      looked += 1;
      const message = "has not ended, and the owner of its partition does not have it in memory: nothing will wake it";
      report(aboutExecution(executionId, "not-in-memory", message));
    }
    return looked;
  },
};

function* findSleepers(execution: LiveExecution, facts: SuiteFacts): Iterable<Finding> {
  const { executionId, waits, nextTimerAt, armedTimerAt, suspended } = execution;
  if (nextTimerAt !== undefined && armedTimerAt === undefined) {
    const message = `waits for ${new Date(nextTimerAt).toISOString()}, and no timer is set for it`;
    yield aboutExecution(executionId, `timer ${nextTimerAt}`, message);
  }
  for (const wait of waits) {
    const finding = findLostTask(execution, wait, facts);
    if (finding !== undefined) yield finding;
  }
  // A suspended one waits for somebody to resume it.
  if (suspended || nextTimerAt !== undefined || waits.some(isWakened)) return;
  const nodes = waits.map(({ nodeId }) => nodeId).join(", ");
  const what = nodes === "" ? "no node of it is under way" : `only ${nodes}, whose branches wait for nothing`;
  yield aboutExecution(executionId, "nothing", `runs, and nothing will wake it: ${what}`);
}

/** Branches are other nodes of the same execution: they do not wake it by themselves. */
function isWakened({
  taskId,
  childExecutionId,
  signal,
  event,
  dueAt,
  machine,
  humanTaskId,
  incident,
}: NodeWait): boolean {
  return (
    machine === true ||
    incident === true ||
    taskId !== undefined ||
    childExecutionId !== undefined ||
    signal !== undefined ||
    event !== undefined ||
    humanTaskId !== undefined ||
    dueAt !== undefined
  );
}

function findLostTask({ executionId }: LiveExecution, wait: NodeWait, facts: SuiteFacts): Finding | undefined {
  const { taskId, taskOpen, nodeId } = wait;
  if (taskId === undefined) return undefined;
  if (taskOpen !== true) {
    const message = `node ${nodeId} waits for task ${taskId}, which its owner no longer tells the scheduler of`;
    return aboutExecution(executionId, `closed ${taskId}`, message);
  }
  if (!facts.tasksComplete || facts.tasks.has(taskId)) return undefined;
  const message = `node ${nodeId} waits for task ${taskId}, which the scheduler does not know: no worker will get it`;
  return aboutExecution(executionId, `unknown ${taskId}`, message, { taskIds: [taskId] });
}
