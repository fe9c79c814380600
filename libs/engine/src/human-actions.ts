import {
  checkPayloadSize,
  refuseAnswer,
  refuseClosed,
  refuseHeld,
  refuseSeveral,
  humanTaskNotFound,
} from "./human-refusals.ts";
import type { HumanCommand } from "./human-commands.ts";
import { humanRequest } from "./human-state.ts";
import { findHumanTask } from "./find-human-task.ts";
import { type HumanTaskState, isOpen } from "./human-task.ts";
import { MAX_EXECUTION_PAYLOAD_BYTES, MAX_HUMAN_COMMENTS } from "./limits.ts";
import { countAnswers } from "./nodes/human.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import type { HumanNode } from "./plan-node.ts";
import { voteOf } from "./quorum.ts";
import { limitReached } from "./refusals.ts";
import { emit } from "./turn.ts";

type CommandOf<Type extends HumanCommand["type"]> = Extract<HumanCommand, { type: Type }>;

interface Found {
  task: HumanTaskState;
  node: LinkedNode;
  definition: HumanNode;
}

/** What people do counts while the task waits for them; also while the execution is suspended, like any result. */
export function actOnHumanTask(turn: Turn, command: HumanCommand): void {
  const { requestId, taskId } = command;
  if (requestId !== "" && turn.state.requestIds.includes(humanRequest(requestId))) return;
  const found = findHumanTask(turn.plan, turn.state, turn.context.executionId, taskId);
  if (found === undefined) throw humanTaskNotFound(taskId);
  if (!isOpen(found.task)) throw refuseClosed(taskId, found.task);
  const target = { ...found, definition: found.node.definition as HumanNode };
  switch (command.type) {
    case "claim_human_task":
      return claim(turn, target, command);
    case "release_human_task":
      return release(turn, target, command);
    case "reassign_human_task":
      return reassign(turn, target, command);
    case "comment_on_human_task":
      return comment(turn, target, command);
    case "answer_human_task":
      return answer(turn, target, command);
  }
}

function claim(turn: Turn, { task, node, definition }: Found, command: CommandOf<"claim_human_task">): void {
  const { taskId, by, requestId } = command;
  if (definition.quorum !== undefined) throw refuseSeveral(taskId, definition.quorum.of, "cannot be claimed");
  refuseOthers(command, task);
  if (task.status === "claimed") return;
  emit(turn, { type: "human_task_claimed", at: turn.at, nodeId: node.id, by, requestId });
}

function release(turn: Turn, { task, node }: Found, command: CommandOf<"release_human_task">): void {
  const { by, requestId } = command;
  refuseOthers(command, task);
  if (task.assignee === undefined) return;
  emit(turn, { type: "human_task_released", at: turn.at, nodeId: node.id, by, requestId });
}

/** Whoever may do that: it is how a task gets away from somebody who is ill. */
function reassign(turn: Turn, { task, node, definition }: Found, command: CommandOf<"reassign_human_task">): void {
  const { taskId, by, assignee, groups = task.groups, requestId } = command;
  if (definition.quorum !== undefined && assignee !== undefined) {
    throw refuseSeveral(taskId, definition.quorum.of, "cannot be given to one person");
  }
  emit(turn, {
    type: "human_task_reassigned",
    at: turn.at,
    nodeId: node.id,
    by,
    ...(assignee !== undefined && { assignee }),
    groups: [...new Set(groups)],
    requestId,
  });
}

function comment(turn: Turn, { task, node }: Found, command: CommandOf<"comment_on_human_task">): void {
  const { taskId, by, text, requestId } = command;
  if (task.comments.length >= MAX_HUMAN_COMMENTS) {
    throw limitReached(
      turn.context.executionId,
      `has ${MAX_HUMAN_COMMENTS} comments on task ${taskId}; it takes no more`,
    );
  }
  refuseTooMuch(turn, approximateBytes(text));
  emit(turn, { type: "human_task_commented", at: turn.at, nodeId: node.id, by, text, requestId });
}

function answer(turn: Turn, { task, node, definition }: Found, command: CommandOf<"answer_human_task">): void {
  const { taskId, by, answer: given, values, requestId } = command;
  const { quorum, form } = definition;
  refuseOthers(command, task);
  if (quorum !== undefined && task.answers.some((one) => one.by === by)) {
    throw refuseAnswer(taskId, "HUMAN_TASK_ANSWERED_BEFORE", `${by} has answered it before, and everyone answers once`);
  }
  checkPayloadSize("answer", given, turn.maxPayloadBytes);
  if (values !== undefined) {
    checkPayloadSize("values", values, turn.maxPayloadBytes);
    if (task.proposed === undefined || quorum !== undefined) {
      const why = quorum === undefined ? "it proposes none" : "several people answer it, and theirs could differ";
      throw refuseAnswer(taskId, "ANSWER_INVALID", `it takes no mended values: ${why}`, [
        { field: "values", description: why },
      ]);
    }
  }
  refuseTooMuch(turn, approximateBytes(given) + (values === undefined ? 0 : approximateBytes(values)));
  const faults = form === undefined ? [] : (turn.context.checkForm?.(form, given) ?? []);
  if (quorum?.field !== undefined && voteOf(given, quorum.field) === undefined) {
    faults.push({ field: `answer.${quorum.field}`, description: "must be given: the decision is made on it" });
  }
  const [first] = faults;
  if (first !== undefined) {
    const message = `the answer does not fit its form: ${first.field} ${first.description}`;
    throw refuseAnswer(taskId, "ANSWER_INVALID", message, faults);
  }
  emit(turn, {
    type: "human_task_answered",
    at: turn.at,
    nodeId: node.id,
    by,
    answer: given,
    ...(values !== undefined && { values }),
    requestId,
  });
  countAnswers(turn, node, definition);
}

function refuseOthers({ taskId, by }: HumanCommand, task: HumanTaskState): void {
  if (task.assignee !== undefined && task.assignee !== by) throw refuseHeld(taskId, task, by);
}

function refuseTooMuch({ state, context }: Turn, bytes: number): void {
  if (state.payloadBytes + bytes <= MAX_EXECUTION_PAYLOAD_BYTES) return;
  throw limitReached(context.executionId, `holds about ${state.payloadBytes} bytes of payloads; send less`);
}
