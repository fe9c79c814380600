import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { EventMessage } from "@heddle/events";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Queryable } from "@heddle/store";
import { insertFiring } from "../store/firings.ts";
import { lockSchedulesRunning, saveSchedule } from "../store/schedules.ts";
import { listTriggersOf } from "../store/triggers.ts";
import { wakeAt } from "./advance.ts";
import { executionEnded } from "./outcomes.ts";
import { peekEnd, type PeekedEnd } from "./peek-end.ts";

/** The end of an execution that somebody waits for. */
export interface ExecutionEnd extends PeekedEnd {
  message: EventMessage;
}

/** The ends among these events that matter, by a look at their bytes. */
export function findEnds(
  messages: readonly EventMessage[],
  isSource: (namespace: string, workflowId: string) => boolean,
): ExecutionEnd[] {
  const ends: ExecutionEnd[] = [];
  for (const message of messages) {
    const end = peekEnd(message.value);
    if (end !== undefined && isSource(end.namespace, end.workflowId)) ends.push({ ...end, message });
  }
  return ends;
}

/** Frees the places in schedules, and lets triggers fire. @returns whether anything is due because of it */
export async function takeEnds(ends: readonly ExecutionEnd[], transaction: Queryable, nowMs: number): Promise<boolean> {
  const freed = await freePlaces(ends, transaction, nowMs);
  const triggers = await listTriggersOf(transaction, ends);
  let fired = false;
  for (const { message, namespace, workflowId, status } of ends) {
    const waiting = triggers.filter(
      (trigger) =>
        trigger.namespace === namespace &&
        trigger.sourceWorkflowId === workflowId &&
        trigger.spec.statuses.includes(status),
    );
    if (waiting.length === 0) continue;
    const { executionId, occurredAt } = fromBinary(ExecutionEventSchema, message.value);
    const occurredAtMs = occurredAt === undefined ? nowMs : timestampMs(occurredAt);
    for (const { triggerId, workflowId: target, declaredAt } of waiting) {
      // A group that reads the topic for the first time may begin with what happened long ago.
      if (occurredAtMs < declaredAt.getTime()) continue;
      const firing = { namespace, workflowId: target, triggerId, eventId: message.headers.ce_id, executionId };
      await insertFiring(transaction, { ...firing, attempts: 0, occurredAt: new Date(occurredAtMs) }, nowMs);
      fired = true;
    }
  }
  return freed || fired;
}

async function freePlaces(ends: readonly ExecutionEnd[], transaction: Queryable, nowMs: number): Promise<boolean> {
  const executionIds = ends.map(({ message }) => message.key);
  const rows = await lockSchedulesRunning(transaction, executionIds);
  for (const row of rows) {
    for (const executionId of executionIds) executionEnded(row, row.state, executionId, nowMs);
    await saveSchedule(transaction, row, wakeAt(row, row.state));
  }
  return rows.length > 0;
}
