import { type Event, type Json, machineInputToJson } from "@heddle/engine";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { endingToProto, recordToProto } from "./ending-to-proto.ts";
import { toProtoBusEvent } from "./bus-event.ts";
import { executionOf } from "./told.ts";
import { toProtoHumanEvent } from "./human-event-codec.ts";
import { toProtoOrigin } from "./origin.ts";
import { toProtoRerun } from "./rerun-origin.ts";
import { type SteeringEvent, steeringToProto } from "./steering-to-proto.ts";
import type { PayloadWriter } from "@heddle/journal-service";

type ProtoEvent = ExecutionEvent["event"];

const PACKAGE = "heddle.execution.v1";

/**
 * The engine's event as the oneof of ExecutionEvent. The messages are written as literals with their `$typeName`:
 * this runs for every event of every step, and `create` would copy each of them once more.
 */
export function toProtoEvent(event: Event, payloads: PayloadWriter): ProtoEvent {
  switch (event.type) {
    case "task_completed":
      return {
        case: "taskCompleted",
        value: {
          $typeName: `${PACKAGE}.TaskCompleted`,
          nodeId: event.nodeId,
          attempt: event.attempt,
          output: payloads.write(`output of node ${event.nodeId}`, event.output),
          startedAtMs: BigInt(event.startedAt),
          worker: event.worker,
        },
      };
    case "task_scheduled":
      return {
        case: "taskScheduled",
        value: {
          $typeName: `${PACKAGE}.TaskScheduled`,
          nodeId: event.nodeId,
          attempt: event.attempt,
          input: payloads.write(`input of node ${event.nodeId}`, event.input),
        },
      };
    case "task_failed":
      return {
        case: "taskFailed",
        value: {
          $typeName: `${PACKAGE}.TaskFailed`,
          nodeId: event.nodeId,
          attempt: event.attempt,
          failure: payloads.failure(event.failure),
          retryAtMs: BigInt(Math.ceil(event.retryAt ?? 0)),
          startedAtMs: BigInt(event.startedAt ?? 0),
          worker: event.worker ?? "",
          stopped: event.stopped ?? false,
        },
      };
    case "node_completed":
      return {
        case: "nodeCompleted",
        value: {
          $typeName: `${PACKAGE}.NodeCompleted`,
          nodeId: event.nodeId,
          output: payloads.write(`output of node ${event.nodeId}`, event.output),
          chosen: event.chosen ?? [],
        },
      };
    case "node_failed":
      return {
        case: "nodeFailed",
        value: { $typeName: `${PACKAGE}.NodeFailed`, nodeId: event.nodeId, failure: payloads.failure(event.failure) },
      };
    case "node_skipped":
      return {
        case: "nodeSkipped",
        value: { $typeName: `${PACKAGE}.NodeSkipped`, nodeId: event.nodeId, reason: event.reason },
      };
    case "node_canceled":
      return {
        case: "nodeCanceled",
        value: {
          $typeName: `${PACKAGE}.NodeCanceled`,
          nodeId: event.nodeId,
          reason: event.reason ?? "",
          attempt: event.attempt ?? 0,
          restarts: event.restarts ?? 0,
        },
      };
    case "error_handled":
      return {
        case: "errorHandled",
        value: {
          $typeName: `${PACKAGE}.ErrorHandled`,
          nodeId: event.nodeId,
          failure: payloads.failure(event.failure),
          action: event.outcome.action,
          output:
            event.outcome.action === "continue"
              ? payloads.write(`output of node ${event.nodeId}`, event.outcome.output)
              : undefined,
          fallbackNodeId: event.outcome.action === "fallback" ? event.outcome.fallbackId : "",
        },
      };
    case "map_started":
      return {
        case: "mapStarted",
        value: {
          $typeName: `${PACKAGE}.MapStarted`,
          nodeId: event.nodeId,
          items: payloads.write(`list of node ${event.nodeId}`, event.items as Json),
        },
      };
    case "item_started":
      return {
        case: "itemStarted",
        value: {
          $typeName: `${PACKAGE}.ItemStarted`,
          nodeId: event.nodeId,
          index: event.index,
          childId: event.childId,
          workflowId: event.workflowId,
          version: event.version ?? 0,
          input: payloads.write(`input of item ${event.index} of node ${event.nodeId}`, event.input),
        },
      };
    case "item_ended": {
      const { nodeId, index, end } = event;
      return {
        case: "itemEnded",
        value: {
          $typeName: `${PACKAGE}.ItemEnded`,
          nodeId,
          index,
          outcome: end.outcome,
          output:
            end.outcome === "succeeded"
              ? payloads.write(`output of item ${index} of node ${nodeId}`, end.output)
              : undefined,
          failure: end.outcome === "failed" ? payloads.failure(end.failure) : undefined,
        },
      };
    }
    case "turn_started":
      return {
        case: "turnStarted",
        value: {
          $typeName: `${PACKAGE}.TurnStarted`,
          nodeId: event.nodeId,
          turn: event.turn,
          dueAtMs: BigInt(Math.ceil(event.dueAt ?? 0)),
          items: payloads.write(`list of node ${event.nodeId}`, event.items),
          carry: payloads.write(`carried value of node ${event.nodeId}`, event.carry),
        },
      };
    case "turn_ended":
      return {
        case: "turnEnded",
        value: {
          $typeName: `${PACKAGE}.TurnEnded`,
          nodeId: event.nodeId,
          turn: event.turn,
          result: payloads.write(`result of node ${event.nodeId}`, event.result),
        },
      };
    case "wait_started":
      return {
        case: "waitStarted",
        value: {
          $typeName: `${PACKAGE}.WaitStarted`,
          nodeId: event.nodeId,
          dueAtMs: BigInt(Math.ceil(event.dueAt ?? 0)),
          signal: event.signal ?? "",
          event: event.event ?? "",
          key: event.key ?? "",
        },
      };
    case "event_received":
      return {
        case: "eventReceived",
        value: {
          $typeName: `${PACKAGE}.EventReceived`,
          nodeId: event.nodeId,
          event: toProtoBusEvent(
            event.event,
            payloads.write(`payload of event ${event.event.name}`, event.event.payload),
          ),
        },
      };
    case "child_started":
      return {
        case: "childStarted",
        value: {
          $typeName: `${PACKAGE}.ChildStarted`,
          nodeId: event.nodeId,
          childId: event.childId,
          workflowId: event.workflowId,
          version: event.version ?? 0,
          input: payloads.write(`input of node ${event.nodeId}`, event.input),
          compensates: event.compensates ?? "",
        },
      };
    case "machine_requested":
      return {
        case: "machineRequested",
        value: {
          $typeName: `${PACKAGE}.MachineRequested`,
          nodeId: event.nodeId,
          workflowId: event.workflowId,
          version: event.version ?? 0,
          input: payloads.write(`input of node ${event.nodeId}`, machineInputToJson(event.input)),
        },
      };
    case "machine_acknowledged":
      return {
        case: "machineAcknowledged",
        value: { $typeName: `${PACKAGE}.MachineAcknowledged`, nodeId: event.nodeId, machineId: event.machineId },
      };
    case "attributes_set":
      return {
        case: "attributesSet",
        value: {
          $typeName: `${PACKAGE}.AttributesSet`,
          nodeId: event.nodeId,
          attributes: payloads.write(`attributes of node ${event.nodeId}`, event.attributes),
        },
      };
    case "compensation_recorded":
    case "compensation_started":
    case "child_ended":
    case "execution_ending":
    case "execution_ending_hastened":
    case "execution_error_handled":
    case "incident_resolved":
      return endingToProto(event, payloads);
    case "logged":
      return {
        case: "logged",
        value: { $typeName: `${PACKAGE}.Logged`, nodeId: event.nodeId, level: event.level, message: event.message },
      };
    case "custom_event_emitted":
      return {
        case: "customEventEmitted",
        value: {
          $typeName: `${PACKAGE}.CustomEventEmitted`,
          nodeId: event.nodeId,
          name: event.name,
          payload: payloads.write(`payload of event ${event.name}`, event.payload),
          origin: toProtoOrigin(executionOf(event).origin),
          key: event.key ?? "",
          namespace: executionOf(event).namespace,
          workflowId: executionOf(event).workflowId,
        },
      };
    case "node_reused":
    case "vars_reused":
    case "items_reused":
    case "execution_reset":
      return steeringToProto(event, payloads);
    case "human_task_created":
    case "human_task_claimed":
    case "human_task_released":
    case "human_task_reassigned":
    case "human_task_commented":
    case "human_task_answered":
    case "human_task_escalated":
    case "human_task_expired":
      return toProtoHumanEvent(event, payloads);
    default:
      return executionEvent(event, payloads);
  }
}

type ExecutionLevelEvent = Exclude<
  Extract<Event, { type: `execution_${string}` | "signal_received" | `update_${string}` }>,
  SteeringEvent | { type: "execution_ending" | "execution_ending_hastened" | "execution_error_handled" }
>;

function executionEvent(event: ExecutionLevelEvent, payloads: PayloadWriter): ProtoEvent {
  switch (event.type) {
    case "execution_started":
      return {
        case: "executionStarted",
        value: {
          $typeName: `${PACKAGE}.ExecutionStarted`,
          namespace: event.namespace,
          workflowId: event.workflowId,
          version: event.version,
          input: payloads.write("input", event.input),
          requestId: event.requestId,
          parentExecutionId: event.parent?.executionId ?? "",
          parentNodeId: event.parent?.nodeId ?? "",
          priority: event.priority,
          labels: event.labels,
          traceparent: event.traceparent ?? "",
          depth: event.depth ?? 0,
          outlivesParent: event.parent?.outlives ?? false,
          origin: toProtoOrigin(event.origin),
          rerunOf: toProtoRerun(event.rerunOf),
          workflowKey: event.workflowKey ?? "",
          searchAttributes: payloads.write("search attributes", event.attributes),
          compensatesExecutionId: event.compensates?.executionId ?? "",
          compensations: (event.compensates?.records ?? []).map((record) => recordToProto(record, payloads)),
        },
      };
    case "execution_completed":
      return {
        case: "executionCompleted",
        value: {
          $typeName: `${PACKAGE}.ExecutionCompleted`,
          output: payloads.write("output", event.output),
          ...endOf(event),
        },
      };
    case "execution_failed":
      return {
        case: "executionFailed",
        value: {
          $typeName: `${PACKAGE}.ExecutionFailed`,
          failure: payloads.failure(event.failure),
          ...endOf(event),
        },
      };
    case "execution_canceled":
      return {
        case: "executionCanceled",
        value: {
          $typeName: `${PACKAGE}.ExecutionCanceled`,
          reason: event.reason,
          ...endOf(event),
          terminated: event.terminated ?? false,
        },
      };
    case "execution_suspended":
      return {
        case: "executionSuspended",
        value: { $typeName: `${PACKAGE}.ExecutionSuspended`, reason: event.reason },
      };
    case "execution_resumed":
      return { case: "executionResumed", value: { $typeName: `${PACKAGE}.ExecutionResumed`, reason: event.reason } };
    case "update_accepted":
      return {
        case: "updateAccepted",
        value: {
          $typeName: `${PACKAGE}.UpdateAccepted`,
          name: event.name,
          requestId: event.requestId,
          payload: payloads.write(`payload of update ${event.name}`, event.payload),
          set: event.set && payloads.write(`variables of update ${event.name}`, event.set),
          signal: event.signal ?? "",
          key: event.key ?? "",
          afterNodeId: event.after ?? "",
        },
      };
    case "update_answered":
      return {
        case: "updateAnswered",
        value: {
          $typeName: `${PACKAGE}.UpdateAnswered`,
          name: event.name,
          requestId: event.requestId,
          reply: event.reply === undefined ? undefined : payloads.write(`reply of update ${event.name}`, event.reply),
          failure: event.failure && payloads.failure(event.failure),
        },
      };
    case "signal_received":
      return {
        case: "signalReceived",
        value: {
          $typeName: `${PACKAGE}.SignalReceived`,
          name: event.name,
          key: event.key ?? "",
          payload: payloads.write(`payload of signal ${event.name}`, event.payload),
          requestId: event.requestId,
        },
      };
  }
}

/** Which execution an end is the end of, and who waits for it. */
function endOf(event: Parameters<typeof executionOf>[0]) {
  const { namespace, workflowId, origin } = executionOf(event);
  return { namespace, workflowId, origin: toProtoOrigin(origin) };
}
