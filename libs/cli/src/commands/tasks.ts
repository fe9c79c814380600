import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type HumanTask,
  HumanTaskSchema,
  type HumanTaskStatus,
} from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonValue } from "../json-input.ts";
import { listDefaultLimit, pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { renderHumanTask, taskStatusText } from "../render/human-task-view.ts";
import { renderTable } from "../render/table.ts";
import { oneLine, truncate } from "../render/text-width.ts";

export interface TaskListOptions {
  assignee?: string;
  group?: string;
  status?: HumanTaskStatus;
  all?: boolean;
  workflow?: string;
  execution?: string;
  limit?: number;
}

/** Cells of a title in a list. */
const TITLE_COLUMNS = 48;

/** Lists tasks, those that wait unless others are asked for. */
export async function list(context: CommandContext, options: TaskListOptions): Promise<ExitCode> {
  const limit = options.limit ?? listDefaultLimit;
  const { tasks, more } = await readTasks(context, options, limit);
  if (context.json) {
    context.printJson({ tasks: tasks.map((task) => messageJson(HumanTaskSchema, task)), more });
    return EXIT.ok;
  }
  if (tasks.length === 0) {
    context.say(`no task in namespace ${context.namespace} fits`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const now = Date.now();
  const lines = renderTable<HumanTask>(
    tasks,
    [
      { title: "TASK", cell: ({ taskId }) => taskId },
      { title: "TITLE", cell: ({ title }) => truncate(oneLine(title), TITLE_COLUMNS) },
      { title: "STATUS", cell: ({ status }) => taskStatusText(status, style) },
      { title: "ASKED", cell: ({ assignee, groups }) => oneLine(assignee || groups.join(", ") || "anybody") },
      { title: "PRIORITY", cell: ({ priority }) => String(priority), align: "right" },
      { title: "AGE", cell: ({ createdAt }) => formatDuration(now - (toMs(createdAt) ?? now)), align: "right" },
      { title: "DUE IN", cell: ({ dueAt }) => dueText(toMs(dueAt), now), align: "right" },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

export async function show(context: CommandContext, taskId: string): Promise<ExitCode> {
  const { humanTasks } = await context.client();
  return print(context, (await humanTasks.getHumanTask({ taskId }, { signal: context.io.signal })).task);
}

/** Who does something, and under which key. */
export interface ActionOptions {
  user?: string;
  requestId?: string;
}

export async function claim(context: CommandContext, taskId: string, options: ActionOptions): Promise<ExitCode> {
  const { humanTasks } = await context.client();
  const request = { taskId, ...actionOf(context, options) };
  return print(context, (await humanTasks.claimHumanTask(request, { signal: context.io.signal })).task);
}

export async function release(context: CommandContext, taskId: string, options: ActionOptions): Promise<ExitCode> {
  const { humanTasks } = await context.client();
  const request = { taskId, ...actionOf(context, options) };
  return print(context, (await humanTasks.releaseHumanTask(request, { signal: context.io.signal })).task);
}

export async function reassign(
  context: CommandContext,
  taskId: string,
  options: ActionOptions & { to?: string; group?: string[] },
): Promise<ExitCode> {
  const { humanTasks } = await context.client();
  const request = { taskId, ...actionOf(context, options), assignee: options.to, groups: options.group };
  return print(context, (await humanTasks.reassignHumanTask(request, { signal: context.io.signal })).task);
}

export async function complete(
  context: CommandContext,
  taskId: string,
  options: ActionOptions & { answer?: string; values?: string },
): Promise<ExitCode> {
  const read = async (given: string | undefined, flag: string) =>
    given === undefined ? undefined : fromJson(ValueSchema, await readJsonValue(given, flag, context.io));
  const answer = await read(options.answer, "--answer");
  const values = await read(options.values, "--values");
  const { humanTasks } = await context.client();
  const request = { taskId, ...actionOf(context, options), answer, values };
  return print(context, (await humanTasks.completeHumanTask(request, { signal: context.io.signal })).task);
}

export async function comment(
  context: CommandContext,
  taskId: string,
  text: string,
  options: ActionOptions,
): Promise<ExitCode> {
  const { humanTasks } = await context.client();
  const request = { taskId, ...actionOf(context, options), text };
  return print(context, (await humanTasks.commentOnHumanTask(request, { signal: context.io.signal })).task);
}

function actionOf({ config }: CommandContext, { user = config.user, requestId }: ActionOptions) {
  if (user !== undefined && user !== "") return { user, requestId };
  throw new CliError("nobody is named", { hint: "say who you are with --user, or in the environment with USER" });
}

function print(context: CommandContext, task: HumanTask | undefined): ExitCode {
  if (task === undefined) throw new CliError("the server named no task", { hint: "it may be of another version" });
  if (context.json) {
    context.printJson(messageJson(HumanTaskSchema, task));
    return EXIT.ok;
  }
  const lines = renderHumanTask(task, { style: context.style(context.io.stdout), nowMs: Date.now() });
  for (const line of lines) context.print(line);
  return EXIT.ok;
}

function dueText(dueAtMs: number | undefined, now: number): string {
  return dueAtMs === undefined ? "-" : formatDuration(Math.max(0, dueAtMs - now));
}

async function readTasks(
  context: CommandContext,
  { workflow, execution, limit: _limit, ...filter }: TaskListOptions,
  limit: number,
): Promise<{ tasks: HumanTask[]; more: boolean }> {
  const { humanTasks } = await context.client();
  const tasks: HumanTask[] = [];
  let pageToken = "";
  do {
    const page = await humanTasks.listHumanTasks(
      {
        ...filter,
        namespace: context.namespace,
        workflowId: workflow,
        executionId: execution,
        pageSize: Math.min(pageSize, limit - tasks.length),
        pageToken,
      },
      { signal: context.io.signal },
    );
    tasks.push(...page.tasks);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && tasks.length < limit);
  return { tasks, more: pageToken !== "" };
}
