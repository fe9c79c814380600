import type { Json } from "./json.ts";

export type HumanTaskStatus =
  /** Nobody has claimed it. */
  | "open"
  | "claimed"
  | "completed"
  /** Its last deadline has passed. */
  | "expired"
  /** Its node was stopped, or failed otherwise. */
  | "canceled";

/** The task of a human node, from its begin on. In the list of its execution the last ones of a loop's turns stay, for readers. */
export interface HumanTaskState {
  /** Index in the plan. */
  node: number;
  /** How often the node had begun afresh; absent: never. */
  restarts?: number;
  status: HumanTaskStatus;
  title: string;
  description?: string;
  /** Who is to answer, whether claimed or not. */
  assignee?: string;
  groups: string[];
  priority: number;
  data?: Json;
  proposed?: Json;
  createdAt: number;
  dueAt?: number;
  endedAt?: number;
  /** Escalations so far; absent: none. */
  step?: number;
  answers: HumanAnswer[];
  comments: HumanComment[];
  /** Changes so far, so that who writes it elsewhere knows whether it has. */
  revision: number;
}

export interface HumanAnswer {
  by: string;
  at: number;
  answer: Json;
  values?: Json;
}

export interface HumanComment {
  by: string;
  at: number;
  text: string;
}

export function isOpen({ status }: HumanTaskState): boolean {
  return status === "open" || status === "claimed";
}
