import { create, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  currentHumanTask,
  type ExecutionStatus as EngineStatus,
  type Failure,
  humanTaskId,
  isIncident,
  itemCountsOf,
  listOpenIncidents,
  type Json,
  type LinkedNode,
  type NodeState,
  type NodeStatus as EngineNodeStatus,
} from "@heddle/engine";
import { type Failure as ProtoFailure, FailureSchema } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import {
  type Ending,
  EndingSchema,
  type Execution as ExecutionMessage,
  ExecutionSchema,
  ExecutionStatus,
  type MapProgressSchema,
  type NodeExecution,
  NodeExecutionSchema,
  NodeStatus,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Execution } from "./aggregate.ts";
import { toProtoOrigin } from "./origin.ts";
import { toProtoRerun } from "./rerun-origin.ts";

const STATUS: Record<EngineStatus, ExecutionStatus> = {
  running: ExecutionStatus.RUNNING,
  suspended: ExecutionStatus.SUSPENDED,
  completed: ExecutionStatus.COMPLETED,
  failed: ExecutionStatus.FAILED,
  canceled: ExecutionStatus.CANCELED,
};

const NODE_STATUS: Record<EngineNodeStatus, NodeStatus> = {
  pending: NodeStatus.PENDING,
  scheduled: NodeStatus.SCHEDULED,
  backing_off: NodeStatus.BACKING_OFF,
  waiting: NodeStatus.WAITING,
  completed: NodeStatus.COMPLETED,
  failed: NodeStatus.FAILED,
  skipped: NodeStatus.SKIPPED,
  canceled: NodeStatus.CANCELED,
};

export function toStatus(status: EngineStatus): ExecutionStatus {
  return STATUS[status];
}

export function toNodeStatus(status: EngineNodeStatus): NodeStatus {
  return NODE_STATUS[status];
}

/** Who runs a task right now, as far as the scheduler has told. */
export type RunningOn = (nodeId: string, attempt: number) => string | undefined;

/** The whole execution with its nodes. */
export function toExecution(id: string, execution: Execution, runningOn: RunningOn): ExecutionMessage {
  const { state, plan } = execution;
  const message = toExecutionAlone(id, execution);
  const shown = plan.nodes.filter((node) => isShown(node, state.nodes[node.index]));
  message.nodes = shown.map((node) => {
    const nodeMessage = toNode(node, state.nodes[node.index] as NodeState, runningOn);
    return node.definition.kind === "human" ? withHumanTask(nodeMessage, id, node, execution) : nodeMessage;
  });
  return message;
}

/** Who is asked, while the node waits for people. */
function withHumanTask(message: NodeExecution, id: string, node: LinkedNode, { state }: Execution): NodeExecution {
  const task = currentHumanTask(state, node.index);
  if (task === undefined || task.endedAt !== undefined) return message;
  message.humanTaskId = humanTaskId(id, node.id, task);
  message.assignee = task.assignee ?? "";
  message.groups = task.groups;
  return message;
}

/** What undoes a step is no part of the picture before it does. */
function isShown({ role }: LinkedNode, node: NodeState | undefined): boolean {
  return node !== undefined && (role !== "compensation" || node.status !== "pending");
}

/** The execution without its nodes. */
export function toExecutionAlone(id: string, execution: Execution): ExecutionMessage {
  const { state } = execution;
  return create(ExecutionSchema, {
    executionId: id,
    namespace: state.namespace,
    workflowId: state.workflowId,
    version: state.version,
    status: STATUS[state.status],
    input: state.input,
    output: state.output === undefined ? undefined : toValue(state.output),
    failure: failureOf(execution),
    handledFailure: state.handledFailure && toFailure(state.handledFailure),
    requestId: state.requestId,
    labels: state.labels,
    priority: state.priority,
    parent: state.parent,
    origin: toProtoOrigin(state.origin),
    rerunOf: toProtoRerun(state.rerunOf),
    startedAt: timestampFromMs(state.startedAt),
    endedAt: toTimestamp(state.endedAt),
    lastSeq: BigInt(execution.seq),
    workflowKey: state.workflowKey ?? "",
    searchAttributes: state.attributes,
    openIncidents: listOpenIncidents(state).length,
    compensatesExecutionId: state.compensates ?? "",
    ending: toEnding(execution),
  });
}

/** Entries of each list: for people, who must not wait for 10,000 of them. */
const MAX_ENDING_ENTRIES = 100;

function toEnding({ state }: Execution): Ending | undefined {
  const { ending, compensations = [], deadlineAt } = state;
  if (ending === undefined) return undefined;
  const { end, awaited = {} } = ending;
  return create(EndingSchema, {
    outcome: STATUS[end.outcome],
    failure:
      end.outcome === "failed"
        ? toFailure(end.failure)
        : end.outcome === "canceled"
          ? create(FailureSchema, { type: "canceled", message: end.reason })
          : undefined,
    stepsToUndo:
      end.outcome === "completed" && state.compensates === undefined
        ? []
        : compensations.slice(-MAX_ENDING_ENTRIES).map(({ nodeId }) => nodeId),
    awaitedChildIds: Object.keys(awaited).slice(0, MAX_ENDING_ENTRIES),
    dueAt: toTimestamp(deadlineAt),
  });
}

function failureOf({ state }: Execution): ProtoFailure | undefined {
  if (state.failure !== undefined) return toFailure(state.failure);
  if (state.status !== "canceled") return undefined;
  return create(FailureSchema, { type: "canceled", message: state.reason ?? "" });
}

function toNode(node: LinkedNode, state: NodeState, runningOn: RunningOn): NodeExecution {
  const worker = state.status === "scheduled" ? runningOn(node.id, state.attempt) : state.worker;
  return create(NodeExecutionSchema, {
    nodeId: node.id,
    kind: node.definition.kind,
    status: NODE_STATUS[state.status],
    attempt: state.attempt,
    input: state.input === undefined ? undefined : toValue(state.input),
    output: state.output === undefined ? undefined : toValue(state.output),
    failure: state.failure === undefined ? undefined : toFailure(state.failure),
    startedAt: toTimestamp(state.startedAt),
    endedAt: toTimestamp(state.endedAt),
    dueAt: toTimestamp(state.dueAt),
    signal: state.signal ?? "",
    signalKey: state.signalKey ?? "",
    event: state.event ?? "",
    childId: state.childId ?? "",
    machineId: state.machineId ?? "",
    worker: worker ?? "",
    skipReason: state.skipReason ?? "",
    turn: state.turn === undefined ? 0 : state.turn.index + 1,
    mapProgress: toMapProgress(state),
    incident: isIncident(state),
    reused: state.isReused ?? false,
  });
}

function toMapProgress(state: NodeState): MessageInitShape<typeof MapProgressSchema> | undefined {
  const counts = itemCountsOf(state);
  return counts && { ...counts, running: state.map?.active.length ?? 0 };
}

export function toFailure(failure: Failure): ProtoFailure {
  return create(FailureSchema, {
    type: failure.type,
    message: failure.message,
    nonRetryable: failure.retryable === false,
    retryAfterMs: BigInt(Math.ceil(failure.retryAfterMs ?? 0)),
    nodeId: failure.nodeId ?? "",
    business: failure.business === true,
    details:
      failure.details === undefined ? undefined : { form: { case: "json", value: JSON.stringify(failure.details) } },
  });
}

function toValue(json: Json): Value {
  return fromJson(ValueSchema, json);
}

function toTimestamp(ms: number | undefined): ReturnType<typeof timestampFromMs> | undefined {
  return ms === undefined ? undefined : timestampFromMs(Math.round(ms));
}
