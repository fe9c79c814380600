import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { FailureSchema } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { type DryRunSchema, RunReason } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import {
  type Execution,
  ExecutionStatus,
  NodeStatus,
  RerunOriginSchema,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type HumanTaskSchema, HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import type { IncidentSchema } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import {
  SchedulerService,
  WaitReasonKind,
  WorkerStatus,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { createServer } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { executionId, json, sampleEvents, sampleExecution, sampleSchedule, startedAtMs, supportRun } from "./sample.ts";

/** The services as far as the command uses them, over a real port, with one execution that ends as told. */
export interface FakeServer {
  url: string;
  /** Every request, as method and its fields. */
  requests: { method: string; request: Record<string, unknown> }[];
  /** Lets the execution go on to its end; watchers see it. */
  finish(outcome: "completed" | "failed" | "canceled"): void;
  close(): Promise<void>;
}

const value = (json: JsonValue) => fromJson(ValueSchema, json);
const sampleTask = {
  taskId: `${executionId}/approve`,
  executionId,
  nodeId: "approve",
  namespace: "default",
  workflowId: "support",
  status: HumanTaskStatus.OPEN,
  title: "Refund 5?",
  groups: ["support", "sales"],
  priority: 3,
  proposed: value({ amount: 5 }),
  quorum: { of: 3, need: 2, field: "approved" },
  createdAt: timestampFromMs(startedAtMs),
} satisfies MessageInitShape<typeof HumanTaskSchema>;

const sampleIncident = {
  executionId,
  namespace: "default",
  workflowId: "support.each",
  version: 3,
  nodeId: "refund",
  turns: [
    { nodeId: "days", turn: 2 },
    { nodeId: "hours", turn: 3 },
  ],
  parent: { executionId, nodeId: "each[4]" },
  failure: { type: "refused", message: "no money" },
  attempts: 5,
  openedAt: timestampFromMs(startedAtMs),
} satisfies MessageInitShape<typeof IncidentSchema>;

const sampleDryRun = {
  nodes: [
    { nodeId: "classify", status: NodeStatus.COMPLETED },
    { nodeId: "answer", status: NodeStatus.COMPLETED, reason: RunReason.NAMED, beginsAtOnce: true },
  ],
} satisfies MessageInitShape<typeof DryRunSchema>;

const OUTLINE = ["classify", "route", "answer", "refund"];

export async function startFakeServer(): Promise<FakeServer> {
  const requests: FakeServer["requests"] = [];
  const events: ExecutionEvent[] = sampleEvents([
    { case: "executionStarted", value: { workflowId: "support", version: 3, input: json({}) } },
    ...supportRun,
  ]);
  let execution = sampleExecution(OUTLINE);
  let changed = Promise.withResolvers<void>();
  const note = (method: string, request: object): void =>
    void requests.push({ method, request: request as Record<string, unknown> });

  function change(fields: Partial<Execution>): Execution {
    execution = { ...execution, ...fields };
    return execution;
  }

  function find(id: string, key = ""): Execution {
    if (id === executionId || (id === "" && key === "order-17")) return execution;
    throw new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: `there is no execution ${id}` });
  }

  const server = createServer({
    logger: createLogger({ name: "fake", level: "silent" }),
    routes: (router) => {
      router.service(DefinitionService, {
        publishDefinition(request) {
          note("publish", request);
          if (request.source.includes("broken")) {
            throw new DomainError({
              kind: "invalid_argument",
              reason: "DEFINITION_INVALID",
              message: "broken.yaml has 1 error",
              violations: [{ field: `${request.fileName}:2:7`, description: "HD105 bad-id: an id has no spaces" }],
            });
          }
          const version = { namespace: "default", workflowId: "support", version: 3, active: !request.skipActivation };
          return { version, created: !request.source.includes("same") };
        },
        getPlan: () => ({
          version: 3,
          planJson: JSON.stringify({ nodes: OUTLINE.map((id, at) => ({ id, activators: at > 1 ? [1] : [] })) }),
        }),
      });
      router.service(ExecutionService, {
        startExecution(request) {
          note("start", request);
          if (request.workflowId === "none") {
            throw new DomainError({
              kind: "not_found",
              reason: "DEFINITION_NOT_FOUND",
              message: "there is no workflow none",
            });
          }
          return { execution: { ...execution, nodes: [] }, created: request.requestId !== "again" };
        },
        getExecution: (request) => ({ execution: find(request.executionId, request.workflowKey) }),
        listExecutions(request) {
          note("list", request);
          return { executions: [{ ...execution, nodes: [] }], nextPageToken: "more" };
        },
        listIncidents(request) {
          note("list-incidents", request);
          return { incidents: [sampleIncident], nextPageToken: "more" };
        },
        resolveIncident(request) {
          note("resolve", request);
          return { execution: find(request.executionId) };
        },
        async *watchExecution({ executionId: id, afterSeq }, { signal }) {
          find(id);
          let sent = afterSeq;
          for (;;) {
            const news = events.filter(({ seq }) => seq > sent);
            sent = news.at(-1)?.seq ?? sent;
            yield { events: news };
            if (execution.endedAt !== undefined) return;
            await Promise.race([changed.promise, aborted(signal)]);
            if (signal.aborted) throw signal.reason;
          }
        },
        listHistory({ executionId: id, pageToken }) {
          find(id);
          // Two pages, so that paging is seen.
          return pageToken === "" ? { events: events.slice(0, 3), nextPageToken: "2" } : { events: events.slice(3) };
        },
        cancelExecution(request) {
          note("cancel", request);
          find(request.executionId, request.workflowKey);
          if (execution.endedAt !== undefined) {
            throw new DomainError({
              kind: "failed_precondition",
              reason: "EXECUTION_FINISHED",
              message: "it has ended",
            });
          }
          return { execution: change({ status: ExecutionStatus.CANCELED }) };
        },
        rerunExecution(request) {
          note("rerun", request);
          find(request.executionId);
          if (request.dryRun) return { dryRun: sampleDryRun };
          const nodes = execution.nodes.map((node, at) => ({ ...node, reused: at === 0 }));
          const { executionId: id, fromNodeIds } = request;
          const rerunOf = create(RerunOriginSchema, { executionId: id, fromNodeIds });
          return { execution: { ...execution, nodes, rerunOf }, created: request.requestId !== "again" };
        },
        resetExecution(request) {
          note("reset", request);
          const found = find(request.executionId);
          return request.dryRun ? { execution: found, dryRun: sampleDryRun } : { execution: found };
        },
        suspendExecution(request) {
          note("suspend", request);
          return { execution: change({ status: ExecutionStatus.SUSPENDED }) };
        },
        resumeExecution(request) {
          note("resume", request);
          return { execution: change({ status: ExecutionStatus.RUNNING }) };
        },
        signalExecution(request) {
          note("signal", request);
          return { execution: find(request.executionId, request.workflowKey) };
        },
      });
      router.service(HumanTaskService, {
        listHumanTasks(request) {
          note("list-tasks", request);
          return { tasks: [sampleTask] };
        },
        getHumanTask: () => ({ task: sampleTask }),
        claimHumanTask(request) {
          note("claim", request);
          return { task: { ...sampleTask, status: HumanTaskStatus.CLAIMED, assignee: request.user } };
        },
        releaseHumanTask: () => ({ task: sampleTask }),
        reassignHumanTask(request) {
          note("reassign", request);
          return { task: { ...sampleTask, assignee: request.assignee } };
        },
        completeHumanTask(request) {
          note("complete", request);
          return {
            task: {
              ...sampleTask,
              status: HumanTaskStatus.COMPLETED,
              answers: [
                {
                  by: request.user,
                  answer: request.answer,
                  values: request.values,
                  changes: [{ path: "amount", from: value(5), to: value(4) }],
                },
              ],
            },
          };
        },
        commentOnHumanTask: ({ user, text }) => ({ task: { ...sampleTask, comments: [{ by: user, text }] } }),
      });
      router.service(BatchService, {
        createBatch(request) {
          note("create-batch", request);
          return { batch: { batchId: executionId, operation: request.operation, matched: 3n }, created: true };
        },
      });
      router.service(SchedulerService, {
        listWorkers: () => ({
          workers: [
            {
              workerId: "w-1",
              status: WorkerStatus.CONNECTED,
              capabilities: ["tool:http_request"],
              slots: 10,
              running: 3,
              completed: 7n,
            },
          ],
        }),
        describeQueue(request) {
          note("queue", request);
          return { queues: [{ type: TaskType.TOOL, name: "scan", waiting: 5n, workers: 0 }] };
        },
        createSchedule(request) {
          note("create-schedule", request);
          return { schedule: request.schedule };
        },
        getSchedule: ({ scheduleId }) => ({ schedule: sampleSchedule(scheduleId) }),
        listSchedules({ pageToken }) {
          // Two pages, so that paging is seen.
          return pageToken === ""
            ? { schedules: [sampleSchedule("nightly")], nextPageToken: "2" }
            : { schedules: [sampleSchedule("report/hourly")] };
        },
        pauseSchedule({ scheduleId, paused }) {
          return { schedule: { ...sampleSchedule(scheduleId), paused } };
        },
        deleteSchedule(request) {
          note("delete-schedule", request);
          return {};
        },
        explainWait({ taskId }) {
          if (taskId === executionId) {
            throw new DomainError({ kind: "not_found", reason: "TASK_NOT_FOUND", message: "no task of it waits" });
          }
          const reason = { kind: WaitReasonKind.NO_WORKER, message: "no connected worker offers tool:scan; start one" };
          return { taskId, rank: 2n, reasons: [reason] };
        },
      });
    },
  });
  const { url } = await server.listen();

  return {
    url,
    requests,
    finish(outcome) {
      const failure = create(FailureSchema, { type: "http_error", message: "404 Not Found", nodeId: "refund" });
      const fields = {
        completed: { status: ExecutionStatus.COMPLETED, output: fromJson(ValueSchema, { answer: "refunded" }) },
        failed: { status: ExecutionStatus.FAILED, failure },
        canceled: { status: ExecutionStatus.CANCELED },
      }[outcome];
      const last = {
        completed: { case: "executionCompleted" as const, value: { output: json({ answer: "refunded" }) } },
        failed: { case: "executionFailed" as const, value: { failure } },
        canceled: { case: "executionCanceled" as const, value: { reason: "no longer needed" } },
      }[outcome];
      events.push(...sampleEvents([last], events.length + 1));
      change({ ...fields, endedAt: timestampFromMs(startedAtMs + 900), lastSeq: BigInt(events.length) });
      changed.resolve();
      changed = Promise.withResolvers();
    },
    close: () => server.close(),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
