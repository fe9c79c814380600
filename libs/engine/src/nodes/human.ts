import type { Scope } from "@heddle/expression";
import { listChanges } from "../changed-paths.ts";
import { parseDuration } from "../duration.ts";
import { checkPayload, evaluateField, scopeOf } from "../evaluate.ts";
import { NodeFault, coreFailure, cutText, invalidValue } from "../failure.ts";
import type { Field, FieldCompiler } from "../field.ts";
import { currentHumanTask, humanTaskId } from "../find-human-task.ts";
import type { HumanTaskState } from "../human-task.ts";
import { describeType, toText } from "../json-object.ts";
import type { Json, JsonObject } from "../json.ts";
import {
  MAX_HUMAN_DESCRIPTION_LENGTH,
  MAX_HUMAN_GROUPS,
  MAX_HUMAN_NAME_LENGTH,
  MAX_HUMAN_TITLE_LENGTH,
  MAX_WAIT_MS,
} from "../limits.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { HumanNode } from "../plan-node.ts";
import { type QuorumDecision, decideQuorum, voteOf } from "../quorum.ts";
import type { NodeState } from "../state.ts";
import { formatTimestamp, parseTimestamp } from "../timestamp.ts";
import { completeNode, completeOrFail } from "../ends.ts";
import { emit } from "../turn.ts";

/** Who is asked, and until when. */
interface Asked {
  path: string;
  assignee: Field | undefined;
  groups: Field | undefined;
  deadline: Field | undefined;
}

/** Asks people, and waits for what they answer. Each deadline that passes asks the next ones; the last one ends it. */
export function linkHuman(definition: HumanNode, compiler: FieldCompiler): NodeProgram {
  const field = (path: string, value: Json | undefined) =>
    value === undefined ? undefined : compiler.template(path, value);
  const asked = (path: string, from: Pick<HumanNode, "assignee" | "groups" | "deadline">): Asked => ({
    path,
    assignee: field(`${path}assignee`, from.assignee),
    groups: field(`${path}groups`, from.groups),
    deadline: field(`${path}deadline`, from.deadline),
  });
  const title = compiler.template("title", definition.title);
  const description = field("description", definition.description);
  const data = field("data", definition.data);
  const proposed = field("proposed", definition.proposed);
  const defaultAnswer = field("default", definition.defaultAnswer);
  const first = asked("", definition);
  const steps = (definition.escalation ?? []).map((step, at) => asked(`escalation[${at}].`, step));

  return {
    begin(turn, node) {
      const scope = scopeOf(turn, node);
      const values = {
        ...(data !== undefined && { data: evaluateField(data, scope) }),
        ...(proposed !== undefined && { proposed: evaluateField(proposed, scope) }),
      };
      if (values.data !== undefined) checkPayload(turn, "the data", values.data);
      if (values.proposed !== undefined) checkPayload(turn, "what is proposed", values.proposed);
      const text = textOf(description, scope, MAX_HUMAN_DESCRIPTION_LENGTH);
      emit(turn, {
        type: "human_task_created",
        at: turn.at,
        nodeId: node.id,
        taskId: humanTaskId(turn.context.executionId, node.id, turn.state.nodes[node.index] as NodeState),
        title: textOf(title, scope, MAX_HUMAN_TITLE_LENGTH),
        ...(text !== "" && { description: text }),
        priority: definition.priority ?? turn.state.priority,
        ...evaluateAsked(turn, scope, first),
        ...values,
      });
    },
    fire(turn, node) {
      const task = currentHumanTask(turn.state, node.index) as HumanTaskState;
      const step = steps[task.step ?? 0];
      if (step !== undefined) {
        const asks = evaluateAsked(turn, scopeOf(turn, node), step);
        // A step that names nobody is only a reminder to those who were asked before.
        const isReminder = step.assignee === undefined && step.groups === undefined;
        emit(turn, {
          type: "human_task_escalated",
          at: turn.at,
          nodeId: node.id,
          step: (task.step ?? 0) + 1,
          ...asks,
          ...(isReminder && { groups: task.groups, ...(task.assignee !== undefined && { assignee: task.assignee }) }),
        });
        return;
      }
      const answer = defaultAnswer === undefined ? undefined : evaluateField(defaultAnswer, scopeOf(turn, node));
      emit(turn, { type: "human_task_expired", at: turn.at, nodeId: node.id });
      if (answer === undefined)
        throw new NodeFault(coreFailure("deadline_exceeded", describeSilence(task, definition.quorum?.of ?? 1)));
      const voted = definition.quorum?.field;
      completeNode(turn, node, {
        answer,
        by: null,
        ...(voted !== undefined && { decision: voteOf(answer, voted) ?? null }),
        ...describeEnd(turn.at, task),
        expired: true,
      });
    },
  };
}

/** An answer has come: the node completes, unless more of them are needed. */
export function countAnswers(turn: Turn, node: LinkedNode, { quorum }: HumanNode): void {
  const task = currentHumanTask(turn.state, node.index) as HumanTaskState;
  const decided = decideQuorum(
    quorum,
    task.answers.map(({ answer }) => answer),
  );
  if (decided === undefined) return;
  completeOrFail(turn, node, describeAnswers(turn, task, quorum === undefined, decided));
}

function describeAnswers(turn: Turn, task: HumanTaskState, isAlone: boolean, { decision }: QuorumDecision): JsonObject {
  const last = task.answers.at(-1);
  return {
    ...(isAlone && last !== undefined && { answer: last.answer, by: last.by }),
    ...(decision !== undefined && { decision }),
    ...describeEnd(turn.at, task),
    expired: false,
  };
}

function describeEnd(at: number, { answers, proposed }: HumanTaskState): JsonObject {
  const { values = proposed } = answers.at(-1) ?? {};
  return {
    at: formatTimestamp(at),
    answers: answers.map((one) => ({ answer: one.answer, by: one.by, at: formatTimestamp(one.at) })),
    ...(proposed !== undefined &&
      values !== undefined && {
        proposed,
        values,
        changes: listChanges(proposed, values).map((change) => ({ ...change })),
      }),
  };
}

function describeSilence({ assignee, groups, step = 0, answers }: HumanTaskState, of: number): string {
  const asked = assignee ?? (groups.length > 0 ? `the group ${groups.join(", ")}` : "anybody");
  const escalations = step === 0 ? "" : `, after ${step === 1 ? "an escalation" : `${step} escalations`}`;
  const came =
    answers.length === 0
      ? "no answer has come before the deadline"
      : `${answers.length} of up to ${of} answers came before the deadline, and they decide nothing`;
  return `${came}${escalations}; asked last: ${asked}`;
}

function evaluateAsked(
  turn: Turn,
  scope: Scope,
  { path, assignee, groups, deadline }: Asked,
): { assignee?: string; groups: string[]; dueAt?: number } {
  const who = assignee === undefined ? undefined : toName(`${path}assignee`, evaluateField(assignee, scope));
  const dueAt =
    deadline === undefined ? undefined : toDueAt(turn.at, `${path}deadline`, evaluateField(deadline, scope));
  return {
    ...(who !== undefined && { assignee: who }),
    groups: groups === undefined ? [] : toGroups(`${path}groups`, evaluateField(groups, scope)),
    ...(dueAt !== undefined && { dueAt }),
  };
}

function textOf(field: Field | undefined, scope: Scope, maxLength: number): string {
  return field === undefined ? "" : cutText(toText(evaluateField(field, scope)), maxLength);
}

/** null and the empty text: nobody. */
function toName(path: string, value: Json): string | undefined {
  if (value === null || value === "") return undefined;
  const name = typeof value === "number" ? String(value) : value;
  if (typeof name === "string" && name.length <= MAX_HUMAN_NAME_LENGTH) return name;
  const found = typeof name === "string" ? `a text of ${name.length} characters` : describeType(name);
  throw invalidValue(
    `${path}: a person or group is named by a text of up to ${MAX_HUMAN_NAME_LENGTH} characters, and this is ${found}`,
  );
}

function toGroups(path: string, value: Json): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length > MAX_HUMAN_GROUPS) {
    throw invalidValue(`${path}: ${list.length} groups are more than the limit of ${MAX_HUMAN_GROUPS}`);
  }
  return [...new Set(list.flatMap((one, at) => toName(Array.isArray(value) ? `${path}[${at}]` : path, one) ?? []))];
}

/** A duration from now, or a time; one that is past is due at once. */
function toDueAt(now: number, path: string, value: Json): number {
  const ms = typeof value === "string" ? parseDuration(value) : value;
  const time = typeof value === "string" && ms === undefined ? parseTimestamp(value) : undefined;
  const dueAt =
    time === undefined
      ? typeof ms === "number" && Number.isFinite(ms) && ms >= 0
        ? now + Math.round(ms)
        : undefined
      : Math.max(now, time);
  if (dueAt === undefined) {
    const found = typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : describeType(value);
    throw invalidValue(
      `${path}: ${found} is neither a duration nor a time; write 4h or 1h30m, a number of milliseconds, or RFC 3339 like 2030-01-31T12:00:00Z`,
    );
  }
  if (dueAt - now <= MAX_WAIT_MS) return dueAt;
  throw invalidValue(`${path}: the deadline would be more than ten years from now`);
}
