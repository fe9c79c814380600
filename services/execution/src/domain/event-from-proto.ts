import type {
  ErrorOutcome,
  Event,
  ExecutionStarted,
  ItemEnd,
  Json,
  JsonObject,
  MachineInput,
  MapItems,
} from "@heddle/engine";
import type {
  ErrorHandled,
  ExecutionEvent,
  ExecutionStarted as ProtoStarted,
} from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { endFromProto, recordFromProto, resolutionFromProto } from "./ending-from-proto.ts";
import { fromProtoHumanEvent } from "./human-event-codec.ts";
import { fromProtoBusEvent } from "./bus-event.ts";
import { fromProtoOrigin } from "./origin.ts";
import { fromProtoRerun } from "./rerun-origin.ts";
import { steeringFromProto } from "./steering-from-proto.ts";
import { objectOf, type PayloadReader, readFailure } from "@heddle/journal-service";

/** The way back from the journal. Throws when the message holds no event that this process knows. */
export function fromProtoEvent(message: ExecutionEvent, payloads: PayloadReader): Event {
  const at = millisecondsOf(message.occurredAt);
  const { event } = message;
  const json = (payload: Parameters<PayloadReader["read"]>[0]): Json => payloads.read(payload) ?? null;
  switch (event.case) {
    case "executionStarted":
      return started(event.value, at, payloads);
    case "executionCompleted":
      return { type: "execution_completed", at, output: json(event.value.output) };
    case "executionFailed":
      return { type: "execution_failed", at, failure: readFailure(event.value.failure, payloads) };
    case "executionCanceled":
      return {
        type: "execution_canceled",
        at,
        reason: event.value.reason,
        ...(event.value.terminated && { terminated: true }),
      };
    case "executionEnding":
      return {
        type: "execution_ending",
        at,
        end: endFromProto(event.value, payloads),
        ...present("dueAt", nonZero(event.value.dueAtMs)),
      };
    case "executionEndingHastened": {
      const { reason, dueAtMs } = event.value;
      return { type: "execution_ending_hastened", at, reason, ...present("dueAt", nonZero(dueAtMs)) };
    }
    case "executionErrorHandled": {
      const { failure, action, fallbackNodeId, dueAtMs } = event.value;
      return {
        type: "execution_error_handled",
        at,
        failure: readFailure(failure, payloads),
        outcome: action === "fallback" ? { action, fallbackId: fallbackNodeId } : { action: "continue" },
        ...present("dueAt", nonZero(dueAtMs)),
      };
    }
    case "compensationRecorded":
      return { type: "compensation_recorded", at, ...recordFromProto(event.value, payloads) };
    case "compensationStarted":
      return { type: "compensation_started", at, nodeId: event.value.nodeId };
    case "incidentResolved": {
      const { nodeId, reason } = event.value;
      return { type: "incident_resolved", at, nodeId, resolution: resolutionFromProto(event.value, payloads), reason };
    }
    case "childEnded":
      return { type: "child_ended", at, nodeId: event.value.nodeId, childId: event.value.childId };
    case "executionSuspended":
      return { type: "execution_suspended", at, reason: event.value.reason };
    case "executionResumed":
      return { type: "execution_resumed", at, reason: event.value.reason };
    case "signalReceived": {
      const { name, key, payload, requestId } = event.value;
      return {
        type: "signal_received",
        at,
        name,
        ...present("key", nonEmpty(key)),
        payload: json(payload),
        requestId,
      };
    }
    case "updateAccepted": {
      const { name, requestId, payload, set, signal, key, afterNodeId } = event.value;
      return {
        type: "update_accepted",
        at,
        name,
        requestId,
        payload: json(payload),
        ...present("set", payloads.read(set) as JsonObject | undefined),
        ...present("signal", nonEmpty(signal)),
        ...present("key", nonEmpty(key)),
        ...present("after", nonEmpty(afterNodeId)),
      };
    }
    case "updateAnswered": {
      const { name, requestId, reply, failure } = event.value;
      const end = failure === undefined ? { reply: json(reply) } : { failure: readFailure(failure, payloads) };
      return { type: "update_answered", at, name, requestId, ...end };
    }
    case "taskScheduled": {
      const { nodeId, attempt, input } = event.value;
      return { type: "task_scheduled", at, nodeId, attempt, ...present("input", payloads.read(input)) };
    }
    case "taskCompleted": {
      const { nodeId, attempt, output, startedAtMs, worker } = event.value;
      return {
        type: "task_completed",
        at,
        nodeId,
        attempt,
        output: json(output),
        startedAt: Number(startedAtMs),
        worker,
      };
    }
    case "taskFailed": {
      const { nodeId, attempt, failure, retryAtMs, startedAtMs, worker, stopped } = event.value;
      return {
        type: "task_failed",
        at,
        nodeId,
        attempt,
        failure: readFailure(failure, payloads),
        ...present("retryAt", nonZero(retryAtMs)),
        ...present("startedAt", nonZero(startedAtMs)),
        ...present("worker", worker === "" ? undefined : worker),
        ...(stopped && { stopped }),
      };
    }
    case "waitStarted": {
      const { nodeId, dueAtMs, signal, event: awaited, key } = event.value;
      return {
        type: "wait_started",
        at,
        nodeId,
        ...present("dueAt", nonZero(dueAtMs)),
        ...present("signal", nonEmpty(signal)),
        ...present("event", nonEmpty(awaited)),
        ...present("key", nonEmpty(key)),
      };
    }
    case "eventReceived": {
      const { nodeId, event: received } = event.value;
      if (received === undefined) throw new Error(`the event that node ${nodeId} has received is missing`);
      return { type: "event_received", at, nodeId, event: fromProtoBusEvent(received, json(received.payload)) };
    }
    case "childStarted": {
      const { nodeId, childId, workflowId, version, input, compensates } = event.value;
      return {
        type: "child_started",
        at,
        nodeId,
        childId,
        workflowId,
        ...present("version", version === 0 ? undefined : version),
        input: json(input),
        ...present("compensates", compensates === "" ? undefined : compensates),
      };
    }
    case "machineRequested": {
      const { nodeId, workflowId, version, input } = event.value;
      return {
        type: "machine_requested",
        at,
        nodeId,
        workflowId,
        ...present("version", version === 0 ? undefined : version),
        input: json(input) as unknown as MachineInput,
      };
    }
    case "attributesSet": {
      const { nodeId, attributes } = event.value;
      const set = objectOf(payloads.read(attributes)) as Extract<Event, { type: "attributes_set" }>["attributes"];
      return { type: "attributes_set", at, nodeId, attributes: set };
    }
    case "humanTaskCreated":
    case "humanTaskClaimed":
    case "humanTaskReleased":
    case "humanTaskReassigned":
    case "humanTaskCommented":
    case "humanTaskAnswered":
    case "humanTaskEscalated":
    case "humanTaskExpired":
      return fromProtoHumanEvent(event, at, payloads);
    case "machineAcknowledged":
      return { type: "machine_acknowledged", at, nodeId: event.value.nodeId, machineId: event.value.machineId };
    case "nodeCompleted": {
      const { nodeId, output, chosen } = event.value;
      return {
        type: "node_completed",
        at,
        nodeId,
        output: json(output),
        ...present("chosen", chosen.length === 0 ? undefined : chosen),
      };
    }
    case "nodeFailed":
      return {
        type: "node_failed",
        at,
        nodeId: event.value.nodeId,
        failure: readFailure(event.value.failure, payloads),
      };
    case "nodeSkipped":
      return {
        type: "node_skipped",
        at,
        nodeId: event.value.nodeId,
        reason: event.value.reason as Extract<Event, { type: "node_skipped" }>["reason"],
      };
    case "nodeCanceled": {
      const { nodeId, reason, attempt, restarts } = event.value;
      return {
        type: "node_canceled",
        at,
        nodeId,
        ...present("reason", reason === "" ? undefined : (reason as "not_needed")),
        ...present("attempt", attempt === 0 ? undefined : attempt),
        ...present("restarts", restarts === 0 ? undefined : restarts),
      };
    }
    case "errorHandled": {
      const { nodeId, failure } = event.value;
      const outcome = outcomeOf(event.value, json);
      return { type: "error_handled", at, nodeId, failure: readFailure(failure, payloads), outcome };
    }
    case "mapStarted":
      return { type: "map_started", at, nodeId: event.value.nodeId, items: json(event.value.items) as MapItems };
    case "itemStarted": {
      const { nodeId, index, childId, workflowId, version, input } = event.value;
      return {
        type: "item_started",
        at,
        nodeId,
        index,
        childId,
        workflowId,
        ...present("version", version === 0 ? undefined : version),
        input: json(input),
      };
    }
    case "itemEnded": {
      const { nodeId, index, outcome, output, failure } = event.value;
      const end: ItemEnd =
        outcome === "succeeded"
          ? { outcome, output: json(output) }
          : outcome === "failed"
            ? { outcome, failure: readFailure(failure, payloads) }
            : { outcome: "canceled" };
      return { type: "item_ended", at, nodeId, index, end };
    }
    case "turnStarted": {
      const { nodeId, turn, dueAtMs, items, carry } = event.value;
      return {
        type: "turn_started",
        at,
        nodeId,
        turn,
        ...present("dueAt", nonZero(dueAtMs)),
        ...present("items", payloads.read(items) as Json[] | undefined),
        ...present("carry", payloads.read(carry)),
      };
    }
    case "turnEnded": {
      const { nodeId, turn, result } = event.value;
      return { type: "turn_ended", at, nodeId, turn, result: json(result) };
    }
    case "logged": {
      const { nodeId, level, message: text } = event.value;
      return { type: "logged", at, nodeId, level: level as Extract<Event, { type: "logged" }>["level"], message: text };
    }
    case "customEventEmitted": {
      const { nodeId, name, payload } = event.value;
      return {
        type: "custom_event_emitted",
        at,
        nodeId,
        name,
        ...present("key", nonEmpty(event.value.key)),
        payload: json(payload),
      };
    }
    case "nodeReused":
    case "varsReused":
    case "itemsReused":
    case "executionReset":
      return steeringFromProto(event, at, payloads);
    case undefined:
      throw new Error(
        `event ${message.executionId}/${message.seq} has a kind that this process does not know: it was written by a newer one`,
      );
  }
}

function outcomeOf(
  { action, output, fallbackNodeId }: ErrorHandled,
  json: (payload: ErrorHandled["output"]) => Json,
): ErrorOutcome {
  if (action === "continue") return { action, output: json(output) };
  if (action === "incident") return { action };
  if (action === "fallback") return { action, fallbackId: fallbackNodeId };
  return { action: "skip" };
}

function started(value: ProtoStarted, at: number, payloads: PayloadReader): ExecutionStarted {
  return {
    type: "execution_started",
    at,
    namespace: value.namespace,
    workflowId: value.workflowId,
    version: value.version,
    input: objectOf(payloads.read(value.input)),
    requestId: value.requestId,
    ...present("parent", parentOf(value)),
    ...present("origin", fromProtoOrigin(value.origin)),
    ...present("rerunOf", fromProtoRerun(value.rerunOf)),
    ...(value.compensatesExecutionId !== "" && {
      compensates: {
        executionId: value.compensatesExecutionId,
        records: value.compensations.map((record) => recordFromProto(record, payloads)),
      },
    }),
    ...present("depth", value.depth === 0 ? undefined : value.depth),
    priority: value.priority,
    labels: value.labels,
    ...present("workflowKey", value.workflowKey === "" ? undefined : value.workflowKey),
    ...present("attributes", payloads.read(value.searchAttributes) as ExecutionStarted["attributes"]),
    ...present("traceparent", value.traceparent === "" ? undefined : value.traceparent),
  };
}

function parentOf({
  parentExecutionId,
  parentNodeId,
  outlivesParent,
}: ProtoStarted): ExecutionStarted["parent"] | undefined {
  if (parentExecutionId === "") return undefined;
  return { executionId: parentExecutionId, nodeId: parentNodeId, ...(outlivesParent && { outlives: true }) };
}

/** Absent fields stay absent, so that a replayed state equals the one that was built step by step. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}

function nonEmpty(value: string): string | undefined {
  return value === "" ? undefined : value;
}

function nonZero(value: bigint): number | undefined {
  return value === 0n ? undefined : Number(value);
}

function millisecondsOf(timestamp: ExecutionEvent["occurredAt"]): number {
  return timestamp === undefined ? 0 : Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
}
