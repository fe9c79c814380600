import type { HumanEvent } from "@heddle/engine";
import type { PayloadReader, PayloadWriter } from "@heddle/journal-service";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

type ProtoHumanEvent = Extract<ExecutionEvent["event"], { case: `humanTask${string}` }>;

const PACKAGE = "heddle.execution.v1";

export function toProtoHumanEvent(event: HumanEvent, payloads: PayloadWriter): ProtoHumanEvent {
  const { nodeId } = event;
  switch (event.type) {
    case "human_task_created":
      return {
        case: "humanTaskCreated",
        value: {
          $typeName: `${PACKAGE}.HumanTaskCreated`,
          nodeId,
          taskId: event.taskId,
          title: event.title,
          description: event.description ?? "",
          assignee: event.assignee ?? "",
          groups: event.groups,
          priority: event.priority,
          data: payloads.write(`data of node ${nodeId}`, event.data),
          proposed: payloads.write(`proposed values of node ${nodeId}`, event.proposed),
          dueAtMs: BigInt(Math.ceil(event.dueAt ?? 0)),
        },
      };
    case "human_task_claimed":
      return {
        case: "humanTaskClaimed",
        value: { $typeName: `${PACKAGE}.HumanTaskClaimed`, nodeId, by: event.by, requestId: event.requestId },
      };
    case "human_task_released":
      return {
        case: "humanTaskReleased",
        value: { $typeName: `${PACKAGE}.HumanTaskReleased`, nodeId, by: event.by, requestId: event.requestId },
      };
    case "human_task_reassigned":
      return {
        case: "humanTaskReassigned",
        value: {
          $typeName: `${PACKAGE}.HumanTaskReassigned`,
          nodeId,
          by: event.by,
          assignee: event.assignee ?? "",
          groups: event.groups,
          requestId: event.requestId,
        },
      };
    case "human_task_commented":
      return {
        case: "humanTaskCommented",
        value: {
          $typeName: `${PACKAGE}.HumanTaskCommented`,
          nodeId,
          by: event.by,
          text: event.text,
          requestId: event.requestId,
        },
      };
    case "human_task_answered":
      return {
        case: "humanTaskAnswered",
        value: {
          $typeName: `${PACKAGE}.HumanTaskAnswered`,
          nodeId,
          by: event.by,
          answer: payloads.write(`answer to node ${nodeId}`, event.answer),
          values: payloads.write(`values for node ${nodeId}`, event.values),
          requestId: event.requestId,
        },
      };
    case "human_task_escalated":
      return {
        case: "humanTaskEscalated",
        value: {
          $typeName: `${PACKAGE}.HumanTaskEscalated`,
          nodeId,
          step: event.step,
          assignee: event.assignee ?? "",
          groups: event.groups,
          dueAtMs: BigInt(Math.ceil(event.dueAt ?? 0)),
        },
      };
    case "human_task_expired":
      return { case: "humanTaskExpired", value: { $typeName: `${PACKAGE}.HumanTaskExpired`, nodeId } };
  }
}

export function fromProtoHumanEvent(message: ProtoHumanEvent, at: number, payloads: PayloadReader): HumanEvent {
  switch (message.case) {
    case "humanTaskCreated": {
      const { nodeId, taskId, title, description, assignee, groups, priority, data, proposed, dueAtMs } = message.value;
      const values = { data: payloads.read(data), proposed: payloads.read(proposed) };
      return {
        type: "human_task_created",
        at,
        nodeId,
        taskId,
        title,
        ...(description !== "" && { description }),
        ...(assignee !== "" && { assignee }),
        groups,
        priority,
        ...(values.data !== undefined && { data: values.data }),
        ...(values.proposed !== undefined && { proposed: values.proposed }),
        ...dueAt(dueAtMs),
      };
    }
    case "humanTaskClaimed": {
      const { nodeId, by, requestId } = message.value;
      return { type: "human_task_claimed", at, nodeId, by, requestId };
    }
    case "humanTaskReleased": {
      const { nodeId, by, requestId } = message.value;
      return { type: "human_task_released", at, nodeId, by, requestId };
    }
    case "humanTaskReassigned": {
      const { nodeId, by, assignee, groups, requestId } = message.value;
      const person = assignee !== "" && { assignee };
      return { type: "human_task_reassigned", at, nodeId, by, ...person, groups, requestId };
    }
    case "humanTaskCommented": {
      const { nodeId, by, text, requestId } = message.value;
      return { type: "human_task_commented", at, nodeId, by, text, requestId };
    }
    case "humanTaskAnswered": {
      const { nodeId, by, answer, values, requestId } = message.value;
      const mended = payloads.read(values);
      return {
        type: "human_task_answered",
        at,
        nodeId,
        by,
        answer: payloads.read(answer) ?? null,
        ...(mended !== undefined && { values: mended }),
        requestId,
      };
    }
    case "humanTaskEscalated": {
      const { nodeId, step, assignee, groups, dueAtMs } = message.value;
      const person = assignee !== "" && { assignee };
      return { type: "human_task_escalated", at, nodeId, step, ...person, groups, ...dueAt(dueAtMs) };
    }
    case "humanTaskExpired":
      return { type: "human_task_expired", at, nodeId: message.value.nodeId };
  }
}

function dueAt(ms: bigint): { dueAt?: number } {
  return ms === 0n ? {} : { dueAt: Number(ms) };
}
