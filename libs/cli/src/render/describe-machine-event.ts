import {
  type Effect,
  EventSource,
  type MessageTarget,
  type StateMachineEvent,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { failureText, payloadText } from "./describe-event.ts";
import { formatDuration } from "./duration.ts";
import { toMs } from "./execution-view.ts";
import { linkText } from "./machine-view.ts";
import type { Style } from "./style.ts";
import { oneLine } from "./text-width.ts";

/** Runs of invocations by their token, as the history has told of them so far. */
export type Runs = Map<bigint, { invokeId: string; kind: string }>;

interface Description {
  name: string;
  detail: string;
  tone?: keyof Style;
  /** Lines below: what actions did. */
  more?: string[];
}

/** The event as lines: time since the creation, name, detail; below it what actions did. */
export function renderMachineEvent(
  event: StateMachineEvent,
  options: { createdAtMs: number; style: Style; runs: Runs },
): string[] {
  const { style, createdAtMs, runs } = options;
  const atMs = toMs(event.occurredAt) ?? createdAtMs;
  const { name, detail, tone, more = [] } = describe(event, atMs, runs);
  const seconds = `${((atMs - createdAtMs) / 1_000).toFixed(3).padStart(9)}s`;
  const what = name.padEnd(22);
  return [
    `${style.dim(seconds)}  ${tone ? style[tone](what) : what}  ${detail}`.trimEnd(),
    ...more.map((line) => `${" ".repeat(12)}${style.dim(line)}`),
  ];
}

function describe({ event }: StateMachineEvent, atMs: number, runs: Runs): Description {
  switch (event.case) {
    case "created": {
      const { workflowId, version, key, context } = event.value;
      const named = key === "" ? "" : `  ${oneLine(key)}`;
      return { name: "created", detail: `${workflowId} v${version}${named}  ${payloadText(context)}` };
    }
    case "eventReceived":
      return {
        name: "event",
        detail: `${oneLine(event.value.name)}  ${payloadText(event.value.data)}${sourceText(event.value)}`,
      };
    case "transitionTaken": {
      const { exited, entered, context } = event.value;
      const moves = [...exited.map((state) => `-${state}`), ...entered.map((state) => `+${state}`)].join(" ");
      const changed = context === undefined ? "" : `  ${payloadText(context)}`;
      return {
        name: "transition",
        detail: `${oneLine(moves)}${changed}`,
        more: effectLines(event.value.effects, atMs),
      };
    }
    case "eventDropped":
      return {
        name: "event dropped",
        detail: `${oneLine(event.value.name)}: ${oneLine(event.value.reason)}`,
        tone: "yellow",
      };
    case "eventQueued":
      return {
        name: "event waits",
        detail: `${oneLine(event.value.name)}  ${payloadText(event.value.data)}`,
        tone: "dim",
      };
    case "invocationStarted": {
      const { invokeId, kind, token, input } = event.value;
      runs.set(token, { invokeId, kind });
      return { name: "invocation started", detail: `${oneLine(invokeId)}, a ${kind}  ${payloadText(input)}` };
    }
    case "invocationAcknowledged": {
      const { invokeId, kind } = runs.get(event.value.token) ?? { invokeId: "", kind: "" };
      return { name: "invocation runs", detail: `${oneLine(invokeId)}: ${linkText(kind, event.value.startedId)}` };
    }
    case "invocationEnded": {
      const { invokeId, completed } = event.value;
      const how = completed ? "completed" : "failed";
      return { name: `invocation ${how}`, detail: oneLine(invokeId), tone: completed ? "green" : "red" };
    }
    case "cancellationAcknowledged":
      return {
        name: "invocation stopped",
        detail: oneLine(runs.get(event.value.token)?.invokeId ?? ""),
        tone: "yellow",
      };
    case "messageAcknowledged":
      return { name: "message delivered", detail: String(event.value.messageId), tone: "dim" };
    case "migrated": {
      const { version, configuration } = event.value;
      return { name: "migrated", detail: `to v${version}, in ${oneLine(configuration.join(", "))}`, tone: "yellow" };
    }
    case "suspended": {
      const { suspended, reason } = event.value;
      return { name: suspended ? "suspended" : "resumed", detail: oneLine(reason), tone: "yellow" };
    }
    case "finished":
      return {
        name: "finished",
        detail: payloadText(event.value.output),
        tone: "green",
        more: effectLines(event.value.effects, atMs),
      };
    case "failed":
      return { name: "failed", detail: failureText(event.value.failure), tone: "red" };
    case "deleted":
      return { name: "deleted", detail: oneLine(event.value.reason), tone: "yellow" };
    case undefined:
      return { name: "unknown event", detail: "" };
  }
}

function sourceText({ source, invokeId }: { source: EventSource; invokeId: string }): string {
  switch (source) {
    case EventSource.QUEUE:
      return "  from its queue";
    case EventSource.DEFERRED:
      return "  that waited";
    case EventSource.TIMER:
      return "  of a timer";
    case EventSource.INVOCATION:
      return `  of ${oneLine(invokeId)}`;
    default:
      return "";
  }
}

function effectLines(effects: readonly Effect[], atMs: number): string[] {
  return effects.map((effect) => effectLine(effect, atMs));
}

function effectLine({ effect }: Effect, atMs: number): string {
  switch (effect.case) {
    case "timerSet":
      return `timer in ${formatDuration(Number(effect.value.dueAtMs) - atMs)}: ${oneLine(effect.value.event)}`;
    case "timerCanceled":
      return `timer canceled: ${oneLine(effect.value.timerId)}`;
    case "eventSent":
      return `sent to itself: ${oneLine(effect.value.name)}  ${payloadText(effect.value.data)}`;
    case "messageSent":
      return `sent to ${targetText(effect.value.target)}: ${oneLine(effect.value.name)}  ${payloadText(effect.value.data)}`;
    case "logged":
      return `${effect.value.level}: ${oneLine(effect.value.message)}`;
    case "expressionFailed":
      return `${oneLine(effect.value.path)}: ${oneLine(effect.value.message)}`;
    case undefined:
      return "something that this version does not know";
  }
}

function targetText(given: MessageTarget | undefined): string {
  const target = given?.target;
  switch (target?.case) {
    case "invocation":
      return `invocation ${oneLine(target.value.invokeId)}`;
    case "machine":
      return `machine ${oneLine(target.value.machineId ?? `${target.value.workflowId}/${target.value.key}`)}`;
    case "execution":
      return `execution ${oneLine(target.value.executionId)}`;
    default:
      return "its parent";
  }
}
