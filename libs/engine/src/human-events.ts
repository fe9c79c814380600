import type { Json } from "./json.ts";

/** What happens to the task of a human node. How it ends is told by its node's own end. */
export type HumanEvent =
  | {
      type: "human_task_created";
      at: number;
      nodeId: string;
      /** `<execution id>/<node id>`; in a loop `/<how often the node had begun afresh>` follows, from 1. */
      taskId: string;
      title: string;
      description?: string;
      /** Who is to answer; absent: nobody yet. */
      assignee?: string;
      /** Whose members may take it. */
      groups: string[];
      /** 0 (first) to 9 (last). */
      priority: number;
      /** What is shown to whoever answers. */
      data?: Json;
      /** Values that whoever answers may mend. */
      proposed?: Json;
      dueAt?: number;
    }
  | { type: "human_task_claimed"; at: number; nodeId: string; by: string; requestId: string }
  | { type: "human_task_released"; at: number; nodeId: string; by: string; requestId: string }
  | {
      type: "human_task_reassigned";
      at: number;
      nodeId: string;
      by: string;
      assignee?: string;
      /** All that there are now. */
      groups: string[];
      requestId: string;
    }
  | { type: "human_task_commented"; at: number; nodeId: string; by: string; text: string; requestId: string }
  /** `values`: the proposed ones as they were mended; absent: as they were proposed. */
  | {
      type: "human_task_answered";
      at: number;
      nodeId: string;
      by: string;
      answer: Json;
      values?: Json;
      requestId: string;
    }
  /** A deadline has passed, and the next step's people are asked. `step` counts from 1. */
  | {
      type: "human_task_escalated";
      at: number;
      nodeId: string;
      step: number;
      assignee?: string;
      groups: string[];
      dueAt?: number;
    }
  /** The last deadline has passed: a default answer or the node's failure follows. */
  | { type: "human_task_expired"; at: number; nodeId: string };

/** Those that somebody asked for. */
export type HumanAction = Extract<HumanEvent, { by: string }>;
