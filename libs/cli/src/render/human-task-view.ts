import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type HumanTask,
  type HumanTaskAnswer,
  HumanTaskStatus,
} from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { formatDuration } from "./duration.ts";
import { toMs } from "./execution-view.ts";
import type { Style } from "./style.ts";
import { oneLine } from "./text-width.ts";

/** The name of a status in its colour. */
export function taskStatusText(status: HumanTaskStatus, style: Style): string {
  const name = (HumanTaskStatus[status] ?? "unknown").toLowerCase();
  switch (status) {
    case HumanTaskStatus.OPEN:
      return style.yellow(name);
    case HumanTaskStatus.CLAIMED:
      return style.cyan(name);
    case HumanTaskStatus.COMPLETED:
      return style.green(name);
    default:
      return style.dim(name);
  }
}

/** A task as lines: a title, and one line for each thing that there is to say. */
export function renderHumanTask(task: HumanTask, { style, nowMs }: { style: Style; nowMs: number }): string[] {
  const { status, title, workflowId, executionId, taskId, escalations } = task;
  const ago = (ms: number | undefined): string => (ms === undefined ? "" : `${formatDuration(nowMs - ms)} ago`);
  const dueAtMs = toMs(task.dueAt);
  const facts: [name: string, value: string][] = [
    ["workflow", `${workflowId}  heddle get ${executionId}`],
    ["description", task.description],
    ["asks", task.assignee || task.groups.join(", ") || "anybody"],
    ["groups", task.assignee === "" ? "" : task.groups.join(", ")],
    ["answers", quorumText(task)],
    ["created", ago(toMs(task.createdAt))],
    ["due", dueAtMs === undefined ? "" : `in ${formatDuration(Math.max(0, dueAtMs - nowMs))}`],
    ["escalated", escalations === 0 ? "" : `${escalations} ${escalations === 1 ? "time" : "times"}`],
    ["ended", ago(toMs(task.endedAt))],
    ["data", jsonText(task.data)],
    ["proposed", jsonText(task.proposed)],
    ["form", task.form === undefined ? "" : JSON.stringify(task.form)],
    ...task.comments.map(({ by, text }): [string, string] => ["comment", `${by}: ${text}`]),
    ...task.answers.flatMap(answerFacts),
  ];
  const lines = facts.filter(([, value]) => value !== "");
  return [
    `${style.bold(oneLine(title))}  ${taskStatusText(status, style)}  ${style.dim(taskId)}`,
    ...lines.map(([name, value]) => `  ${style.dim(name.padEnd(12))}${oneLine(value)}`),
  ];
}

function quorumText({ quorum, answers }: HumanTask): string {
  if (quorum === undefined) return "";
  const { of, need, field } = quorum;
  const wanted = field === "" ? `${need} of up to ${of}` : `${need} of up to ${of} that agree on ${field}`;
  return `${wanted}, ${answers.length} so far`;
}

function answerFacts({ by, answer, changes }: HumanTaskAnswer): [name: string, value: string][] {
  return [
    ["answer", `${by}: ${jsonText(answer)}`],
    ...changes.map(({ path, from, to }): [string, string] => [
      "mended",
      `${path === "" ? "all of it" : path}: ${jsonText(from)} -> ${jsonText(to)}`,
    ]),
  ];
}

function jsonText(value: Value | undefined): string {
  return value === undefined ? "" : JSON.stringify(toJson(ValueSchema, value));
}
