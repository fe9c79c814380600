import type { PayloadReader } from "@heddle/journal-service";
import type {
  Effect as ProtoEffect,
  MessageTarget as ProtoTarget,
  TimerSet,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { Effect, LogLevel, MessageTarget } from "@heddle/statechart";
import { nameOf, POLICY } from "./enums.ts";
import { present, unknownKind } from "./present.ts";

export function fromProtoEffect({ effect }: ProtoEffect, payloads: PayloadReader): Effect {
  switch (effect.case) {
    case "timerSet":
      return timerOf(effect.value, payloads);
    case "timerCanceled":
      return { type: "timer_canceled", timerId: effect.value.timerId };
    case "eventSent": {
      const { name, data, sendId } = effect.value;
      return { type: "event_sent", name, data: payloads.read(data) ?? null, sendId };
    }
    case "messageSent": {
      const { messageId, target, name, data, sendId } = effect.value;
      return {
        type: "message_sent",
        messageId: Number(messageId),
        target: targetOf(target),
        name,
        data: payloads.read(data) ?? null,
        sendId,
      };
    }
    case "logged":
      return { type: "logged", level: effect.value.level as LogLevel, message: effect.value.message };
    case "expressionFailed":
      return { type: "error", path: effect.value.path, message: effect.value.message };
    case undefined:
      throw unknownKind("an effect");
  }
}

function timerOf(timer: TimerSet, payloads: PayloadReader): Effect {
  return {
    type: "timer_set",
    timerId: timer.timerId,
    dueAt: Number(timer.dueAtMs),
    durationMs: Number(timer.durationMs),
    policy: nameOf(POLICY, timer.policy, "absolute"),
    event: timer.event,
    data: payloads.read(timer.data) ?? null,
    ...present("state", timer.state),
    // A delayed transition has a state and no name; a delayed event has a name, which may be empty.
    ...(timer.state === "" && { sendId: timer.sendId }),
  };
}

function targetOf(message: ProtoTarget | undefined): MessageTarget {
  const target = message?.target;
  switch (target?.case) {
    case "parent":
      return { kind: "parent" };
    case "invocation":
      return { kind: "invocation", invokeId: target.value.invokeId, token: Number(target.value.token) };
    case "machine": {
      const { machineId, workflowId, key } = target.value;
      return {
        kind: "machine",
        ...(machineId !== undefined && { machineId }),
        ...(workflowId !== undefined && { workflowId }),
        ...(key !== undefined && { key }),
      };
    }
    case "execution":
      return { kind: "execution", executionId: target.value.executionId };
    case undefined:
      throw unknownKind("a message's target");
  }
}
