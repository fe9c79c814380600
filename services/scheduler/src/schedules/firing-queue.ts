import { toJson } from "@bufbuild/protobuf";
import { timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { compileExpression, compileTemplate, ExpressionError, type Json, type JsonObject } from "@heddle/expression";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import {
  deleteFiring,
  type FiringRow,
  listDueFirings,
  nextFiringWake,
  parkFiring,
  postponeFiring,
} from "../store/firings.ts";
import { findTrigger, type TriggerRow } from "../store/triggers.ts";
import type { DueQueue } from "./clockwork.ts";
import type { Executions } from "./executions.ts";
import { formatTime } from "./format-time.ts";
import { labelValue, TRIGGER_DEPTH_LABEL, TRIGGER_LABEL, TRIGGERED_BY_LABEL } from "./labels.ts";
import type { ScheduleLimits } from "./limits.ts";
import { triggerRequestId } from "./request-id.ts";

export interface FiringQueueOptions {
  database: Database;
  executions: Executions;
  namespaces: () => readonly string[];
  isOwner: (namespace: string) => boolean;
  now: () => number;
  limits: ScheduleLimits;
  logger: Logger;
}

/** What becomes of a firing. */
type Verdict = { kind: "done" } | { kind: "later"; atLeastMs: number } | { kind: "parked"; reason: string };

/** Starts that triggers owe. A row goes when its start has happened or is not wanted; what will never work is parked. */
export function createFiringQueue(options: FiringQueueOptions): DueQueue<FiringRow> {
  const { database, executions, namespaces, isOwner, now, limits, logger } = options;

  async function fire(firing: FiringRow): Promise<Verdict> {
    const trigger = await findTrigger(database, firing);
    if (trigger === undefined) return { kind: "done" };
    const execution = await executions.find(firing.executionId);
    if (execution === undefined) return { kind: "parked", reason: `execution ${firing.executionId} is gone` };
    try {
      const event = describeEnd(firing, execution);
      if (!passes(trigger, event)) return { kind: "done" };
      const depth = (await triggerDepth(execution)) + 1;
      if (depth > limits.triggerDepthMax) return { kind: "parked", reason: tooDeep(trigger, depth, limits) };
      return await start(firing, trigger, event, depth);
    } catch (error) {
      if (error instanceof ExpressionError) return { kind: "parked", reason: error.message };
      throw error;
    }
  }

  async function start(firing: FiringRow, trigger: TriggerRow, event: JsonObject, depth: number): Promise<Verdict> {
    const { namespace, workflowId, triggerId, eventId, executionId } = firing;
    const outcome = await executions.start({
      namespace,
      workflowId,
      input: compileTemplate(trigger.spec.input).evaluate(scopeOf(event)) as JsonObject,
      requestId: triggerRequestId(workflowId, triggerId, eventId),
      labels: {
        [TRIGGER_LABEL]: labelValue(`${workflowId}/${triggerId}`),
        [TRIGGERED_BY_LABEL]: executionId,
        [TRIGGER_DEPTH_LABEL]: String(depth),
      },
    });
    if (outcome.kind === "taken") return { kind: "done" };
    return outcome.kind === "later" ? outcome : { kind: "parked", reason: `the start was refused: ${outcome.why}` };
  }

  /** Of the execution that ended; a sub-workflow has no labels, so that of whoever waits for it counts. */
  async function triggerDepth(execution: Execution): Promise<number> {
    let current: Execution | undefined = execution;
    for (let level = 0; current?.parent !== undefined && level < MAX_CHILD_LEVELS; level += 1) {
      current = await executions.find(current.parent.executionId);
    }
    const depth = Number(current?.labels[TRIGGER_DEPTH_LABEL] ?? 0);
    return Number.isInteger(depth) && depth > 0 ? depth : 0;
  }

  return {
    name: "triggers",
    idOf: ({ namespace, workflowId, triggerId, eventId }) => `${namespace}/${workflowId}/${triggerId}/${eventId}`,
    listDue: (nowMs, limit) => listDueFirings(database, namespaces(), nowMs, limit),
    nextWakeAt: () => nextFiringWake(database, namespaces()),
    postpone: (firing, untilMs) => postponeFiring(database, firing, untilMs),
    async work(firing) {
      if (!isOwner(firing.namespace)) return;
      const verdict = await fire(firing).catch((err: unknown): Verdict => {
        logger.debug({ err, trigger: firing.triggerId }, "a trigger waits for execution");
        return { kind: "later", atLeastMs: 0 };
      });
      if (verdict.kind === "done") return await deleteFiring(database, firing);
      if (verdict.kind === "later") {
        const pauseMs = Math.min(limits.retryMaxMs, limits.retryMinMs * 2 ** Math.min(firing.attempts, 20));
        return await postponeFiring(database, firing, now() + Math.max(pauseMs, verdict.atLeastMs));
      }
      const { namespace, workflowId, triggerId, eventId } = firing;
      const { reason } = verdict;
      logger.warn(
        { namespace, workflowId, triggerId, eventId, reason },
        "a trigger fired and can start nothing; parked",
      );
      await parkFiring(database, firing, reason, now() - limits.parkedRetentionMs);
    },
  };
}

/** As deep as sub-workflows may be, and more. */
const MAX_CHILD_LEVELS = 64;

function passes({ spec }: TriggerRow, event: JsonObject): boolean {
  return spec.filter === "" || compileExpression(spec.filter).evaluate(scopeOf(event)) === true;
}

function scopeOf(event: JsonObject): { get(name: string): Json | undefined } {
  return { get: (name) => (name === "event" ? event : undefined) };
}

function tooDeep({ workflowId, triggerId }: TriggerRow, depth: number, { triggerDepthMax }: ScheduleLimits): string {
  return `${workflowId}/${triggerId} would be start ${depth} by triggers in a row; ${triggerDepthMax} are allowed, because triggers that start one another in a circle would never end`;
}

/** What expressions know as `event`. */
function describeEnd({ eventId }: FiringRow, execution: Execution): JsonObject {
  const { executionId, workflowId, namespace, version, status, failure, labels, startedAt, endedAt } = execution;
  return {
    id: eventId,
    status: (ExecutionStatus[status] ?? "unknown").toLowerCase(),
    execution_id: executionId,
    workflow_id: workflowId,
    namespace,
    version,
    input: execution.input ?? {},
    output: execution.output === undefined ? null : toJson(ValueSchema, execution.output),
    failure: failure === undefined ? null : { type: failure.type, message: failure.message, node_id: failure.nodeId },
    labels: { ...labels },
    started_at: startedAt === undefined ? null : formatTime(timestampMs(startedAt)),
    ended_at: endedAt === undefined ? null : formatTime(timestampMs(endedAt)),
  };
}
