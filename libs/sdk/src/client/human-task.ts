import {
  type HumanTask as HumanTaskMessage,
  HumanTaskStatusSchema,
} from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import type { Json, JsonObject } from "../json.ts";
import { enumName, plainTime, plainValue } from "./plain.ts";
import { present } from "./present.ts";

export type HumanTaskStatus = "open" | "claimed" | "completed" | "expired" | "canceled";

/** What a human node asks people. Lists leave out what only a single task is told with. */
export interface HumanTask {
  taskId: string;
  executionId: string;
  nodeId: string;
  namespace: string;
  workflowId: string;
  status: HumanTaskStatus;
  title: string;
  /** Not in lists. */
  description: string;
  /** Who is to answer, claimed or not; empty: nobody yet. */
  assignee: string;
  /** Whose members may take it. */
  groups: string[];
  /** 0 (first) to 9 (last). */
  priority: number;
  /** JSON Schema of an answer. Not in lists. */
  form?: JsonObject;
  /** What is shown to whoever answers. Not in lists. */
  data?: Json;
  /** Values that whoever answers may mend. Not in lists. */
  proposed?: Json;
  /** Several people answer. Not in lists. */
  quorum?: { of: number; need: number; field: string };
  createdAt: Date;
  dueAt?: Date;
  endedAt?: Date;
  /** How often a deadline has passed and others were asked. */
  escalations: number;
  /** Not in lists. */
  answers: HumanTaskAnswer[];
  /** Not in lists. */
  comments: { by: string; at: Date; text: string }[];
}

export interface HumanTaskAnswer {
  by: string;
  at: Date;
  answer: Json;
  /** The proposed values, when they were mended. */
  values?: Json;
  /** Where they were mended. */
  changes: { path: string; from: Json; to: Json }[];
}

export function plainHumanTask(message: HumanTaskMessage): HumanTask {
  const { $typeName: _, status, form, data, proposed, quorum, createdAt, dueAt, endedAt, ...rest } = message;
  return {
    ...rest,
    status: enumName(HumanTaskStatusSchema, status),
    ...(form && { form }),
    ...(data && { data: plainValue(data) }),
    ...(proposed && { proposed: plainValue(proposed) }),
    ...(quorum && { quorum: { of: quorum.of, need: quorum.need, field: quorum.field } }),
    createdAt: present(plainTime(createdAt)),
    dueAt: plainTime(dueAt),
    endedAt: plainTime(endedAt),
    answers: message.answers.map(({ by, answeredAt, answer, values, changes }) => ({
      by,
      at: present(plainTime(answeredAt)),
      answer: plainValue(present(answer)),
      ...(values && { values: plainValue(values) }),
      changes: changes.map(({ path, from, to }) => ({
        path,
        from: plainValue(present(from)),
        to: plainValue(present(to)),
      })),
    })),
    comments: message.comments.map(({ by, commentedAt, text }) => ({ by, at: present(plainTime(commentedAt)), text })),
  };
}
