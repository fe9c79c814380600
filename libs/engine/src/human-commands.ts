import type { Json } from "./json.ts";

interface Action {
  /** As `human_task_created` names it. */
  taskId: string;
  /** Who does it, as the caller says. */
  by: string;
  /** A request id that was seen before is accepted and changes nothing; empty: none. */
  requestId: string;
}

/** What people do with the task of a human node. */
export type HumanCommand =
  | (Action & { type: "claim_human_task" })
  | (Action & { type: "release_human_task" })
  /** Without an assignee it is nobody's; without groups those that it has stay. */
  | (Action & { type: "reassign_human_task"; assignee?: string; groups?: string[] })
  | (Action & { type: "comment_on_human_task"; text: string })
  /** `values`: the proposed ones, mended. */
  | (Action & { type: "answer_human_task"; answer: Json; values?: Json });
