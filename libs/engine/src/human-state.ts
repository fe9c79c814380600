import type { ExecutionState } from "./execution-state.ts";
import type { HumanEvent } from "./human-events.ts";
import { currentHumanTask } from "./find-human-task.ts";
import { type HumanTaskState, isOpen } from "./human-task.ts";
import { MAX_PAST_HUMAN_TASKS, MAX_REMEMBERED_REQUESTS } from "./limits.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode } from "./plan.ts";
import type { NodeState, NodeStatus } from "./state.ts";
import { pruneTimers, pushTimer } from "./timers.ts";

type Created = Extract<HumanEvent, { type: "human_task_created" }>;

/** In the memory of request ids, which signals share. */
export function humanRequest(requestId: string): string {
  return `human:${requestId}`;
}

export function createHumanTask(state: ExecutionState, { index }: LinkedNode, event: Created): void {
  const { title, description, assignee, groups, priority, data, proposed, dueAt, at } = event;
  const { restarts } = state.nodes[index] as NodeState;
  forgetPast(state, index);
  const task: HumanTaskState = {
    node: index,
    ...(restarts !== undefined && { restarts }),
    status: "open",
    title,
    ...(description !== undefined && { description }),
    ...(assignee !== undefined && { assignee }),
    groups,
    priority,
    ...(data !== undefined && { data }),
    ...(proposed !== undefined && { proposed }),
    createdAt: at,
    answers: [],
    comments: [],
    revision: 1,
  };
  state.payloadBytes += heldBytes(task);
  (state.humanTasks ??= []).push(task);
  setDue(state, index, task, dueAt);
}

export function changeHumanTask(
  state: ExecutionState,
  { index }: LinkedNode,
  event: Exclude<HumanEvent, Created>,
): void {
  const task = currentHumanTask(state, index) as HumanTaskState;
  task.revision++;
  switch (event.type) {
    case "human_task_claimed":
      task.status = "claimed";
      task.assignee = event.by;
      break;
    case "human_task_released":
      assign(task, undefined);
      break;
    case "human_task_reassigned":
      assign(task, event.assignee);
      task.groups = event.groups;
      break;
    case "human_task_commented":
      task.comments.push({ by: event.by, at: event.at, text: event.text });
      state.payloadBytes += approximateBytes(event.text);
      break;
    case "human_task_answered": {
      const { by, at, answer, values } = event;
      task.answers.push({ by, at, answer, ...(values !== undefined && { values }) });
      state.payloadBytes += approximateBytes(answer) + (values === undefined ? 0 : approximateBytes(values));
      break;
    }
    case "human_task_escalated":
      assign(task, event.assignee);
      task.groups = event.groups;
      task.step = event.step;
      setDue(state, index, task, event.dueAt);
      break;
    case "human_task_expired":
      task.status = "expired";
  }
  if ("requestId" in event && event.requestId !== "") {
    state.requestIds.push(humanRequest(event.requestId));
    if (state.requestIds.length > MAX_REMEMBERED_REQUESTS) state.requestIds.shift();
  }
}

/** Its node ends, or has failed and another one takes its place. */
export function closeHumanTask(state: ExecutionState, index: number, status: NodeStatus, at: number): void {
  // There is none when it ends before it begins: skipped, or by a fault of its own expressions.
  const task = currentHumanTask(state, index);
  if (task === undefined || task.endedAt !== undefined) return;
  if (isOpen(task)) task.status = status === "completed" && task.answers.length > 0 ? "completed" : "canceled";
  task.endedAt = at;
  task.dueAt = undefined;
  task.revision++;
}

function assign(task: HumanTaskState, assignee: string | undefined): void {
  task.status = "open";
  task.assignee = assignee;
}

function setDue(state: ExecutionState, index: number, task: HumanTaskState, dueAt: number | undefined): void {
  const node = state.nodes[index] as NodeState;
  task.dueAt = dueAt;
  node.dueAt = dueAt;
  pruneTimers(state);
  if (dueAt !== undefined) pushTimer(state, dueAt, index);
}

/** A loop may ask a thousand times: only the last tasks stay. */
function forgetPast(state: ExecutionState, index: number): void {
  const past = (state.humanTasks ?? []).filter((task) => task.node === index);
  const gone = past.slice(0, Math.max(0, past.length - MAX_PAST_HUMAN_TASKS));
  if (gone.length === 0) return;
  state.humanTasks = state.humanTasks?.filter((task) => !gone.includes(task));
  for (const task of gone) state.payloadBytes -= heldBytes(task);
}

function heldBytes({ data, proposed, answers, comments }: HumanTaskState): number {
  let bytes = 0;
  for (const value of [data, proposed]) if (value !== undefined) bytes += approximateBytes(value);
  for (const { answer, values } of answers) {
    bytes += approximateBytes(answer) + (values === undefined ? 0 : approximateBytes(values));
  }
  for (const { text } of comments) bytes += approximateBytes(text);
  return bytes;
}
