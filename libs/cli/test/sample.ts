import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import {
  type Execution,
  ExecutionSchema,
  ExecutionStatus,
  NodeStatus,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";

import {
  OverlapPolicy,
  type Schedule,
  ScheduleSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";

export const executionId = "01990f5e-0000-7000-8000-000000000001";
export const startedAtMs = 1_700_000_000_000;

type EventInit = MessageInitShape<typeof ExecutionEventSchema>["event"];

/** Numbered events, 100 ms apart. */
export function sampleEvents(events: readonly EventInit[], firstSeq = 1): ExecutionEvent[] {
  return events.map((event, index) =>
    create(ExecutionEventSchema, {
      executionId,
      seq: BigInt(firstSeq + index),
      occurredAt: timestampFromMs(startedAtMs + 100 * (firstSeq + index - 1)),
      event,
    }),
  );
}

/** An execution of these nodes that has just started. */
export function sampleExecution(
  nodeIds: readonly string[],
  fields: MessageInitShape<typeof ExecutionSchema> = {},
): Execution {
  return create(ExecutionSchema, {
    executionId,
    namespace: "default",
    workflowId: "support",
    version: 3,
    status: ExecutionStatus.RUNNING,
    startedAt: timestampFromMs(startedAtMs),
    lastSeq: 1n,
    nodes: nodeIds.map((nodeId) => ({ nodeId, kind: "task", status: NodeStatus.PENDING })),
    ...fields,
  });
}

/** A schedule that has done something. */
export function sampleSchedule(scheduleId: string): Schedule {
  return create(ScheduleSchema, {
    namespace: "default",
    scheduleId,
    workflowId: "report",
    spec: { case: "cron", value: "0 2 * * *" },
    timeZone: "Europe/Berlin",
    overlap: OverlapPolicy.BUFFER_ONE,
    nextTimes: [timestampFromMs(startedAtMs)],
    progress: { started: 3n, skipped: 1n, lastExecutionId: executionId, lastProblem: "one was left out" },
  });
}

/** A run with a retry, a switch, a skipped branch and a wait for a person, from seq 2 on. */
export const supportRun: readonly EventInit[] = [
  { case: "taskScheduled", value: { nodeId: "classify", attempt: 1, input: json({ ticket: 7 }) } },
  {
    case: "taskFailed",
    value: {
      nodeId: "classify",
      attempt: 1,
      worker: "w-1",
      startedAtMs: BigInt(startedAtMs + 120),
      retryAtMs: BigInt(startedAtMs + 1_200),
      failure: { type: "http_error", message: "503 from the model" },
    },
  },
  { case: "taskScheduled", value: { nodeId: "classify", attempt: 2 } },
  {
    case: "taskCompleted",
    value: {
      nodeId: "classify",
      attempt: 2,
      worker: "w-2",
      startedAtMs: BigInt(startedAtMs + 310),
      output: json({ kind: "refund" }),
    },
  },
  { case: "nodeCompleted", value: { nodeId: "route", chosen: ["refund"], output: json("refund") } },
  { case: "nodeSkipped", value: { nodeId: "answer", reason: "not_chosen" } },
  { case: "logged", value: { nodeId: "route", level: "info", message: "refund of ticket 7" } },
  { case: "waitStarted", value: { nodeId: "refund", signal: "approved", dueAtMs: BigInt(startedAtMs + 60_000) } },
];

export function json(value: unknown): { form: { case: "json"; value: string } } {
  return { form: { case: "json", value: JSON.stringify(value) } };
}
