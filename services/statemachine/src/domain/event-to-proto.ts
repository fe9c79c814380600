import { create } from "@bufbuild/protobuf";
import type { PayloadWriter } from "@heddle/journal-service";
import {
  type EndedMachine as ProtoEnded,
  EndedMachineSchema,
  type MachineParent as ProtoParent,
  MachineParentSchema,
  type StateMachineEvent,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { EventReceived, MachineEvent, MachineParent } from "@heddle/statechart";
import { toProtoEffect } from "./effects-to-proto.ts";
import { whatEnded } from "./ended.ts";
import { PARENT_KIND, SOURCE } from "./enums.ts";

type ProtoEvent = StateMachineEvent["event"];

const PACKAGE = "heddle.statemachine.v1";

/**
 * The core's event as the oneof of StateMachineEvent. The messages are written as literals with their `$typeName`: this
 * runs for every event, and `create` would copy each of them once more.
 */
export function toProtoEvent(event: MachineEvent, payloads: PayloadWriter): ProtoEvent {
  switch (event.type) {
    case "event_received":
      return { case: "eventReceived", value: receivedOf(event, payloads) };
    case "microstep":
      return {
        case: "transitionTaken",
        value: {
          $typeName: `${PACKAGE}.TransitionTaken`,
          exited: event.exited,
          entered: event.entered,
          event: event.event,
          context: payloads.write("assigned fields", event.assigned),
          effects: event.effects.map((effect) => toProtoEffect(effect, payloads)),
        },
      };
    case "event_dropped": {
      const { name, reason, requestId } = event;
      return { case: "eventDropped", value: { $typeName: `${PACKAGE}.EventDropped`, name, reason, requestId } };
    }
    case "event_queued":
      return {
        case: "eventQueued",
        value: {
          $typeName: `${PACKAGE}.EventQueued`,
          name: event.name,
          data: payloads.write(`data of event ${event.name}`, event.data),
          requestId: event.requestId,
          deferred: event.because === "deferred",
        },
      };
    case "message_acknowledged":
      return {
        case: "messageAcknowledged",
        value: { $typeName: `${PACKAGE}.MessageAcknowledged`, messageId: BigInt(event.messageId) },
      };
    case "cancellation_acknowledged":
      return {
        case: "cancellationAcknowledged",
        value: { $typeName: `${PACKAGE}.CancellationAcknowledged`, token: BigInt(event.token) },
      };
    case "invocation_started":
    case "invocation_acknowledged":
    case "invocation_ended":
      return invocationEvent(event, payloads);
    default:
      return machineEvent(event, payloads);
  }
}

function receivedOf({ name, data, requestId, source }: EventReceived, payloads: PayloadWriter) {
  return {
    $typeName: `${PACKAGE}.EventReceived` as const,
    name,
    data: payloads.write(`data of event ${name}`, data),
    requestId,
    source: SOURCE[source.kind],
    deferredPosition: source.kind === "deferred" ? source.position : 0,
    timerId: source.kind === "timer" ? source.timerId : "",
    invokeId: source.kind === "invocation" ? source.invokeId : "",
  };
}

function invocationEvent(
  event: Extract<MachineEvent, { type: `invocation_${string}` }>,
  payloads: PayloadWriter,
): ProtoEvent {
  const token = BigInt(event.token);
  switch (event.type) {
    case "invocation_started": {
      const { state, invokeId, kind } = event;
      const input = payloads.write(`input of invocation ${invokeId}`, event.input);
      return {
        case: "invocationStarted",
        value: { $typeName: `${PACKAGE}.InvocationStarted`, state, invokeId, kind, token, input },
      };
    }
    case "invocation_acknowledged": {
      const { startedId } = event;
      return {
        case: "invocationAcknowledged",
        value: { $typeName: `${PACKAGE}.InvocationAcknowledged`, token, startedId },
      };
    }
    case "invocation_ended": {
      const { invokeId, outcome } = event;
      return {
        case: "invocationEnded",
        value: { $typeName: `${PACKAGE}.InvocationEnded`, invokeId, token, completed: outcome === "completed" },
      };
    }
  }
}

function machineEvent(
  event: Extract<MachineEvent, { type: `machine_${string}` }>,
  payloads: PayloadWriter,
): ProtoEvent {
  switch (event.type) {
    case "machine_created": {
      const { namespace, workflowId, version, key, requestId, labels, parent, traceparent = "" } = event;
      return {
        case: "created",
        value: {
          $typeName: `${PACKAGE}.MachineCreated`,
          namespace,
          workflowId,
          version,
          key,
          context: payloads.write("context", event.context),
          requestId,
          labels,
          parent: toProtoParent(parent),
          traceparent,
        },
      };
    }
    case "machine_finished":
      return {
        case: "finished",
        value: {
          $typeName: `${PACKAGE}.MachineFinished`,
          output: payloads.write("output", event.output),
          context: payloads.write("assigned fields", event.assigned),
          effects: event.effects.map((effect) => toProtoEffect(effect, payloads)),
          machine: endedOf(event),
        },
      };
    case "machine_failed":
      return {
        case: "failed",
        value: {
          $typeName: `${PACKAGE}.MachineFailed`,
          failure: payloads.failure(event.failure),
          machine: endedOf(event),
        },
      };
    case "machine_suspended":
    case "machine_resumed": {
      const suspended = event.type === "machine_suspended";
      return {
        case: "suspended",
        value: { $typeName: `${PACKAGE}.MachineSuspended`, suspended, reason: event.reason },
      };
    }
    case "machine_deleted":
      return {
        case: "deleted",
        value: { $typeName: `${PACKAGE}.MachineDeleted`, reason: event.reason, machine: endedOf(event) },
      };
    case "machine_migrated": {
      const { type: _, at: __, history, ...fields } = event;
      return {
        case: "migrated",
        value: {
          $typeName: `${PACKAGE}.MachineMigrated`,
          ...fields,
          history: Object.fromEntries(
            Object.entries(history).map(([id, names]) => [id, { $typeName: `${PACKAGE}.StateNames`, names }]),
          ),
        },
      };
    }
  }
}

export function toProtoParent(parent: MachineParent | undefined): ProtoParent | undefined {
  if (parent === undefined) return undefined;
  const { id, name, token = 0 } = parent;
  return create(MachineParentSchema, { kind: PARENT_KIND[parent.kind], id, name, token: BigInt(token) });
}

function endedOf(event: Parameters<typeof whatEnded>[0]): ProtoEnded | undefined {
  const ended = whatEnded(event);
  if (ended === undefined) return undefined;
  return create(EndedMachineSchema, { ...ended, parent: toProtoParent(ended.parent) });
}
