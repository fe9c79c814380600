import { DomainError } from "@heddle/errors";
import { type HumanTask, HumanTaskSchema, HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import {
  type ExplainWaitResponse,
  ExplainWaitResponseSchema,
  WaitReasonKind,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { NodeExecution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { messageJson } from "../message-json.ts";
import { findWaits, printWaits, waitsJson } from "./explain-waits.ts";
import { oneLine } from "../render/text-width.ts";

const EXECUTION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Says why a task, or the first waiting task of an execution, does not run yet; and else what its nodes wait for. */
export async function explain(context: CommandContext, taskId: string): Promise<ExitCode> {
  const { scheduler } = await context.client();
  let response: ExplainWaitResponse;
  try {
    response = await scheduler.explainWait({ taskId }, { signal: context.io.signal });
  } catch (error) {
    // Nothing of it is with the scheduler: it may wait for people, for a signal, an event or a time.
    const executionId = taskId.split("/", 1)[0] ?? "";
    const isOther = error instanceof DomainError && error.kind === "not_found" && EXECUTION_ID.test(executionId);
    if (!isOther) throw error;
    const asked = await findAsked(context, executionId, taskId);
    const waits = await findWaits(context, executionId, taskId);
    if (asked.length + waits.length === 0) throw error;
    return explainWaits(context, executionId, asked, waits);
  }
  if (context.json) {
    context.printJson(messageJson(ExplainWaitResponseSchema, response));
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  context.print(style.bold(response.taskId));
  if (response.running) context.print("  is with a worker; it does not wait");
  else if (response.reasons.length === 0) context.print("  is next: nothing holds it up");
  for (const { kind, message } of response.reasons) {
    const name = (WaitReasonKind[kind] ?? "unknown").toLowerCase().replaceAll("_", " ");
    context.print(`  ${style.yellow(name)}: ${message}`);
  }
  if (response.rank > 0n) context.print(style.dim(`  place in the queue: ${response.rank}`));
  return EXIT.ok;
}

/** Tasks of people that an execution, or one node of it, waits for. */
async function findAsked(context: CommandContext, executionId: string, id: string): Promise<HumanTask[]> {
  const { humanTasks } = await context.client();
  const request = { executionId, namespace: context.namespace };
  const { tasks } = await humanTasks.listHumanTasks(request, { signal: context.io.signal });
  return tasks.filter(({ taskId }) => id === executionId || taskId === id);
}

function explainWaits(
  context: CommandContext,
  executionId: string,
  tasks: readonly HumanTask[],
  waits: readonly NodeExecution[],
): ExitCode {
  if (context.json) {
    const humanTasks = tasks.map((task) => messageJson(HumanTaskSchema, task));
    context.printJson({ humanTasks, waits: waitsJson(waits) });
    return EXIT.ok;
  }
  printWaits(context, executionId, waits);
  const style = context.style(context.io.stdout);
  for (const { taskId, title, status, assignee, groups } of tasks) {
    const who = assignee || groups.join(", ") || "anybody";
    const how = status === HumanTaskStatus.CLAIMED ? "has claimed it" : "may answer";
    context.print(style.bold(taskId));
    context.print(
      `  ${style.yellow("people")}: ${oneLine(title)}  ${oneLine(who)} ${how}; heddle tasks show ${taskId}`,
    );
  }
  return EXIT.ok;
}
