import type { AfterCause } from "./after.ts";
import type { LinkedNode, Plan } from "./plan.ts";

// What a rerun or a reset says of each node. It is made by what decides it, and never beside it.

/** Why a node runs again. */
export type RunReason =
  /** Everything does. */
  | "start"
  /** The caller has named it. */
  | "named"
  | "failed"
  /** Its effect was undone. */
  | "undone"
  /** It is new in the other version, or defined otherwise there. */
  | "redefined"
  /** It reads what differs in the input, or variables that are written again. */
  | "reads_changed"
  /** It has not ended by itself: it had not begun, was under way, was canceled, or nobody needed it any more. */
  | "not_ended"
  /** It depends on another one that runs again, is activated by it or stands in for it. */
  | "after"
  /** It is in another one that begins afresh. */
  | "inside"
  /** It holds another one that runs again, and ends after it. */
  | "awaits";

export interface NodeVerdict {
  nodeId: string;
  /** Absent: it is kept. */
  reason?: RunReason;
  /** Of `after`, `inside` and `awaits`: the other one. */
  becauseOf?: string;
}

/** Of a node that runs again because another one does. */
export function becauseOf(plan: Plan, { id }: LinkedNode, { relation, of }: AfterCause): NodeVerdict {
  return { nodeId: id, reason: relation, becauseOf: (plan.nodes[of] as LinkedNode).id };
}
