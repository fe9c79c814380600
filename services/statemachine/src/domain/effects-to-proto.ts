import type { PayloadWriter } from "@heddle/journal-service";
import type {
  Effect as ProtoEffect,
  MessageTarget as ProtoTarget,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { Effect, MessageTarget } from "@heddle/statechart";
import { POLICY } from "./enums.ts";

const PACKAGE = "heddle.statemachine.v1";

export function toProtoEffect(effect: Effect, payloads: PayloadWriter): ProtoEffect {
  return { $typeName: `${PACKAGE}.Effect`, effect: effectOf(effect, payloads) };
}

function effectOf(effect: Effect, payloads: PayloadWriter): ProtoEffect["effect"] {
  switch (effect.type) {
    case "timer_set":
      return {
        case: "timerSet",
        value: {
          $typeName: `${PACKAGE}.TimerSet`,
          timerId: effect.timerId,
          dueAtMs: BigInt(Math.ceil(effect.dueAt)),
          durationMs: BigInt(Math.ceil(effect.durationMs)),
          policy: POLICY[effect.policy],
          event: effect.event,
          data: payloads.write(`data of event ${effect.event}`, effect.data),
          state: effect.state ?? "",
          sendId: effect.sendId ?? "",
        },
      };
    case "timer_canceled":
      return { case: "timerCanceled", value: { $typeName: `${PACKAGE}.TimerCanceled`, timerId: effect.timerId } };
    case "event_sent": {
      const data = payloads.write(`data of event ${effect.name}`, effect.data);
      const { name, sendId } = effect;
      return { case: "eventSent", value: { $typeName: `${PACKAGE}.EventSent`, name, data, sendId } };
    }
    case "message_sent":
      return {
        case: "messageSent",
        value: {
          $typeName: `${PACKAGE}.MessageSent`,
          messageId: BigInt(effect.messageId),
          target: { $typeName: `${PACKAGE}.MessageTarget`, target: targetOf(effect.target) },
          name: effect.name,
          data: payloads.write(`data of event ${effect.name}`, effect.data),
          sendId: effect.sendId,
        },
      };
    case "logged": {
      const { level, message } = effect;
      return { case: "logged", value: { $typeName: `${PACKAGE}.Logged`, level, message } };
    }
    case "error": {
      const { path, message } = effect;
      return { case: "expressionFailed", value: { $typeName: `${PACKAGE}.ExpressionFailed`, path, message } };
    }
  }
}

function targetOf(target: MessageTarget): ProtoTarget["target"] {
  switch (target.kind) {
    case "parent":
      return { case: "parent", value: { $typeName: `${PACKAGE}.ParentTarget` } };
    case "invocation": {
      const { invokeId, token } = target;
      return {
        case: "invocation",
        value: { $typeName: `${PACKAGE}.InvocationTarget`, invokeId, token: BigInt(token) },
      };
    }
    case "machine": {
      const { kind: _, ...fields } = target;
      return { case: "machine", value: { $typeName: `${PACKAGE}.MachineTarget`, ...fields } };
    }
    case "execution": {
      const { executionId } = target;
      return { case: "execution", value: { $typeName: `${PACKAGE}.ExecutionTarget`, executionId } };
    }
  }
}
