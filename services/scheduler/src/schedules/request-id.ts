import { createHash } from "node:crypto";
import { formatTime } from "./format-time.ts";

/** What execution takes at most. */
const MAX_LENGTH = 128;

/** Names a start by what it is for, so that it happens once, whoever makes it and however often. */
export function scheduleRequestId(scheduleId: string, dueMs: number): string {
  return bounded(`schedule/${scheduleId}/${formatTime(dueMs)}`);
}

export function triggerRequestId(workflowId: string, triggerId: string, eventId: string): string {
  return bounded(`trigger/${workflowId}/${triggerId}/${eventId}`);
}

function bounded(id: string): string {
  if (id.length <= MAX_LENGTH) return id;
  const kind = id.slice(0, id.indexOf("/"));
  return `${kind}/sha256/${createHash("sha256").update(id).digest("hex")}`;
}
