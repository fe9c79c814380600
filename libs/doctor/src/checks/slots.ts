import { executionOfTask, partitionOfId } from "../execution-id.ts";
import type { ScheduledTask, SuiteFacts } from "../facts.ts";
import { aboutExecution, aboutSuite, type Finding } from "../finding.ts";
import type { Check } from "./check.ts";

export const slots: Check = {
  id: "slots",
  claim: "every slot in use belongs to a task that an execution has open, and no limit is exceeded",
  subject: "tasks and workers",
  remedy:
    "restart the scheduler: it is rebuilt from what executions ask for and workers hold. Report it with its log: counts are derived from leases, so that this should not be possible",
  run(facts, report) {
    for (const [taskId, found] of facts.tasks) {
      const [first, second] = found;
      if (first === undefined) continue;
      if (second !== undefined) report(foundTwice(taskId, found));
      else if (isUnwanted(taskId, facts)) report(leaked(first));
    }
    for (const { namespace, workerId, slots: room, leases, capabilities } of facts.workers) {
      const worker = `worker ${workerId} of namespace ${namespace}`;
      if (leases > room) report(aboutSuite(`slots ${worker}`, `${worker} has ${leases} tasks and ${room} slots`));
      for (const { name, maxConcurrent, running } of capabilities) {
        if (maxConcurrent === 0 || running <= maxConcurrent) continue;
        const message = `${worker} runs ${running} tasks of ${name} and takes ${maxConcurrent} at most`;
        report(aboutSuite(`capability ${worker} ${name}`, message));
      }
    }
    return facts.tasks.size + facts.workers.length;
  },
};

function isUnwanted(taskId: string, { live, inspectedPartitions }: SuiteFacts): boolean {
  const executionId = executionOfTask(taskId);
  if (!inspectedPartitions.has(partitionOfId(executionId))) return false;
  const execution = live.get(executionId);
  if (execution?.quarantined === true) return false;
  return !(execution?.waits.some((wait) => wait.taskId === taskId) ?? false);
}

function leaked({ taskId, state, workerId }: ScheduledTask): Finding {
  const where = workerId === "" ? "" : ` on worker ${workerId}`;
  const what = {
    recovering: "is about to run",
    waiting: "waits to be run",
    running: `holds a slot${where}`,
    finished: "has a result",
  }[state];
  return aboutExecution(
    executionOfTask(taskId),
    `leaked ${taskId}`,
    `task ${taskId} ${what}, and no execution has it open`,
    {
      taskIds: [taskId],
    },
  );
}

function foundTwice(taskId: string, found: readonly ScheduledTask[]): Finding {
  const places = found.map(({ shard, state }) => `${state} in shard ${shard}`).join(", ");
  return aboutExecution(
    executionOfTask(taskId),
    `twice ${taskId}`,
    `the scheduler has task ${taskId} more than once: ${places}`,
    {
      taskIds: [taskId],
    },
  );
}
