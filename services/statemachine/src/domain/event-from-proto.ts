import { timestampMs } from "@bufbuild/protobuf/wkt";
import { objectOf, type PayloadReader, readFailure } from "@heddle/journal-service";
import type {
  EventReceived as ProtoReceived,
  MachineCreated as ProtoCreated,
  MachineMigrated as ProtoMigrated,
  MachineParent as ProtoParent,
  StateMachineEvent,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { ChartInvocation, EventReceived, MachineEvent, MachineParent } from "@heddle/statechart";
import { fromProtoEffect } from "./effects-from-proto.ts";
import { nameOf, PARENT_KIND, SOURCE } from "./enums.ts";
import { present, unknownKind } from "./present.ts";

type Payload = Parameters<PayloadReader["read"]>[0];

/** The way back from the journal. Throws when the message holds no event that this process knows. */
export function fromProtoEvent(message: StateMachineEvent, payloads: PayloadReader): MachineEvent {
  const at = message.occurredAt === undefined ? 0 : timestampMs(message.occurredAt);
  const { event } = message;
  const json = (payload: Payload) => payloads.read(payload) ?? null;
  const assigned = (payload: Payload) => (payload === undefined ? {} : { assigned: objectOf(payloads.read(payload)) });
  switch (event.case) {
    case "created":
      return created(event.value, at, payloads);
    case "eventReceived":
      return received(event.value, at, payloads);
    case "transitionTaken": {
      const { exited, entered, event: name, context, effects } = event.value;
      return {
        type: "microstep",
        at,
        event: name,
        exited,
        entered,
        ...assigned(context),
        effects: effects.map((effect) => fromProtoEffect(effect, payloads)),
      };
    }
    case "eventDropped": {
      const { name, reason, requestId } = event.value;
      return { type: "event_dropped", at, name, reason, requestId };
    }
    case "eventQueued": {
      const { name, data, requestId, deferred } = event.value;
      const because = deferred ? "deferred" : "suspended";
      return { type: "event_queued", at, name, data: json(data), requestId, because };
    }
    case "invocationStarted": {
      const { state, invokeId, token, input } = event.value;
      const kind = event.value.kind as ChartInvocation["kind"];
      return { type: "invocation_started", at, state, invokeId, kind, token: Number(token), input: json(input) };
    }
    case "invocationAcknowledged": {
      const { token, startedId } = event.value;
      return { type: "invocation_acknowledged", at, token: Number(token), startedId };
    }
    case "invocationEnded": {
      const { invokeId, token, completed } = event.value;
      const outcome = completed ? "completed" : "failed";
      return { type: "invocation_ended", at, invokeId, token: Number(token), outcome };
    }
    case "messageAcknowledged":
      return { type: "message_acknowledged", at, messageId: Number(event.value.messageId) };
    case "cancellationAcknowledged":
      return { type: "cancellation_acknowledged", at, token: Number(event.value.token) };
    case "finished": {
      const { output, context, effects } = event.value;
      return {
        type: "machine_finished",
        at,
        output: json(output),
        ...assigned(context),
        effects: effects.map((effect) => fromProtoEffect(effect, payloads)),
      };
    }
    case "failed":
      return { type: "machine_failed", at, failure: readFailure(event.value.failure, payloads) };
    case "suspended": {
      const { suspended, reason } = event.value;
      return { type: suspended ? "machine_suspended" : "machine_resumed", at, reason };
    }
    case "deleted":
      return { type: "machine_deleted", at, reason: event.value.reason };
    case "migrated":
      return migrated(event.value, at);
    case undefined:
      throw unknownKind(`event ${message.machineId}/${message.seq}`);
  }
}

function created(value: ProtoCreated, at: number, payloads: PayloadReader): MachineEvent {
  const { namespace, workflowId, version, key, requestId, labels, parent, traceparent } = value;
  return {
    type: "machine_created",
    at,
    namespace,
    workflowId,
    version,
    key,
    requestId,
    labels,
    context: objectOf(payloads.read(value.context)),
    ...(parent !== undefined && { parent: fromProtoParent(parent) }),
    ...present("traceparent", traceparent),
  };
}

function received(value: ProtoReceived, at: number, payloads: PayloadReader): MachineEvent {
  const { name, data, requestId } = value;
  return { type: "event_received", at, name, data: payloads.read(data) ?? null, requestId, source: sourceOf(value) };
}

function sourceOf({ source, deferredPosition, timerId, invokeId }: ProtoReceived): EventReceived["source"] {
  const kind = nameOf(SOURCE, source, "outside");
  switch (kind) {
    case "deferred":
      return { kind, position: deferredPosition };
    case "timer":
      return { kind, timerId };
    case "invocation":
      return { kind, invokeId };
    default:
      return { kind };
  }
}

function migrated(value: ProtoMigrated, at: number): MachineEvent {
  const { namespace, workflowId, version, configuration, renamed, canceledTimers, canceledInvocations } = value;
  return {
    type: "machine_migrated",
    at,
    namespace,
    workflowId,
    version,
    configuration,
    renamed,
    canceledTimers,
    canceledInvocations,
    history: Object.fromEntries(Object.entries(value.history).map(([id, { names }]) => [id, names])),
    initialized: value.initialized,
  };
}

export function fromProtoParent({ kind, id, name, token }: ProtoParent): MachineParent {
  return {
    kind: nameOf(PARENT_KIND, kind, "execution"),
    id,
    name,
    // Runs are counted from 1.
    ...(token !== 0n && { token: Number(token) }),
  };
}
