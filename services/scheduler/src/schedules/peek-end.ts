import { createOneofPeek, peekTexts } from "@heddle/events";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

/** The end of an execution, as far as it decides whether anybody waits for it. */
export interface PeekedEnd {
  status: "completed" | "failed" | "canceled";
  namespace: string;
  workflowId: string;
}

const STATUSES = { executionCompleted: "completed", executionFailed: "failed", executionCanceled: "canceled" } as const;
const peek = createOneofPeek(ExecutionEventSchema, ["executionCompleted", "executionFailed", "executionCanceled"]);

/** In all three messages. */
const NAMESPACE = 2;
const WORKFLOW_ID = 3;

/**
 * Looks at the bytes of an ExecutionEvent without decoding it: of tens of thousands of events a second a few are ends,
 * and of these a few matter. Undefined for anything else, also for what is no such message: whoever decodes it will say so.
 */
export function peekEnd(bytes: Uint8Array): PeekedEnd | undefined {
  const end = peek(bytes);
  const [namespace = "", workflowId = ""] = (end && peekTexts(end.value, [NAMESPACE, WORKFLOW_ID])) ?? [];
  return end === undefined || namespace === "" ? undefined : { status: STATUSES[end.case], namespace, workflowId };
}
