import type { Failure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { ErrorHandled, ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { formatDuration } from "./duration.ts";
import { toMs } from "./execution-view.ts";
import type { Style } from "./style.ts";
import { oneLine, truncate } from "./text-width.ts";

interface EventDescription {
  /** `task completed` */
  name: string;
  /** Empty for events of the execution itself. */
  nodeId: string;
  /** What else there is to say in a line; may be empty. */
  detail: string;
  tone: keyof Style | undefined;
}

/** Cells of a payload that a line shows. */
const PAYLOAD_COLUMNS = 100;
/** Cells of a failure's message: it is what one looks for. */
const FAILURE_COLUMNS = 400;

/** An event in words, for one line. */
function describeEvent({ event, occurredAt }: ExecutionEvent): EventDescription {
  const at = toMs(occurredAt) ?? 0;
  const name = (event.case ?? "unknown event").replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const nodeId = event.value !== undefined && "nodeId" in event.value ? event.value.nodeId : "";
  const say = (detail: string, tone?: keyof Style): EventDescription => ({ name, nodeId, detail, tone });
  switch (event.case) {
    case "executionStarted":
      return say(`${event.value.workflowId} v${event.value.version}  ${payloadText(event.value.input)}`);
    case "executionCompleted":
      return say(payloadText(event.value.output), "green");
    case "executionFailed":
      return say(failureText(event.value.failure), "red");
    case "executionCanceled":
      return say([event.value.terminated ? "at once" : "", oneLine(event.value.reason)].join("  ").trim(), "yellow");
    case "executionEnding": {
      const { outcome, failure, reason } = event.value;
      const why = outcome === "failed" ? failureText(failure) : oneLine(reason);
      return say(`as ${outcome}  ${why}`.trim(), "yellow");
    }
    case "executionEndingHastened":
      return say(oneLine(event.value.reason), "yellow");
    case "executionErrorHandled": {
      const { action, failure, fallbackNodeId } = event.value;
      const what = action === "fallback" ? `${fallbackNodeId} runs` : "it completes";
      return say(`${failureText(failure)}: ${what}`, "yellow");
    }
    case "compensationRecorded": {
      const { input, failure, childId } = event.value;
      if (failure !== undefined) return say(failureText(failure), "yellow");
      return say(childId === "" ? payloadText(input) : childId, "dim");
    }
    case "compensationStarted":
      return say("");
    case "incidentResolved": {
      const { action, input, output, reason } = event.value;
      const payload = input ?? output;
      return say(
        [action, payload === undefined ? "" : payloadText(payload), oneLine(reason)].filter(Boolean).join("  "),
      );
    }
    case "childEnded":
      return say(event.value.childId);
    case "executionSuspended":
    case "executionResumed":
      return say(oneLine(event.value.reason), "yellow");
    case "signalReceived":
      return say(`${oneLine(event.value.name)}${keyText(event.value.key)}  ${payloadText(event.value.payload)}`);
    case "eventReceived":
      return say(`${oneLine(event.value.event?.name ?? "")}  ${payloadText(event.value.event?.payload)}`);
    case "updateAccepted":
      return say(`${oneLine(event.value.name)}  ${payloadText(event.value.payload)}`);
    case "updateAnswered": {
      const { name: update, reply, failure } = event.value;
      return say(`${oneLine(update)}  ${failure === undefined ? payloadText(reply) : failureText(failure)}`);
    }
    case "taskScheduled":
      return say(`attempt ${event.value.attempt}  ${event.value.input ? payloadText(event.value.input) : ""}`.trim());
    case "taskCompleted":
      return say(`${ranText(event.value, at)}  ${payloadText(event.value.output)}`, "green");
    case "taskFailed": {
      const retry =
        event.value.retryAtMs === 0n ? "" : `  next in ${formatDuration(Number(event.value.retryAtMs) - at)}`;
      return say(`${ranText(event.value, at)}  ${failureText(event.value.failure)}${retry}`, "yellow");
    }
    case "waitStarted": {
      const limit = event.value.dueAtMs === 0n ? "" : formatDuration(Number(event.value.dueAtMs) - at);
      const { signal, event: awaited, key } = event.value;
      const what = signal ? `for signal ${oneLine(signal)}` : awaited ? `for event ${oneLine(awaited)}` : "";
      return say(`${what}${keyText(key)} ${limit}`.trim());
    }
    case "childStarted":
      return say(`${event.value.workflowId}  ${event.value.childId}`);
    case "machineRequested":
      return say(`${event.value.workflowId}  ${payloadText(event.value.input)}`);
    case "machineAcknowledged":
      return say(`machine ${event.value.machineId}`);
    case "nodeCompleted": {
      const chosen = event.value.chosen.length > 0 ? `chose ${event.value.chosen.join(", ")}  ` : "";
      return say(chosen + payloadText(event.value.output), "green");
    }
    case "nodeFailed":
      return say(failureText(event.value.failure), "red");
    case "nodeSkipped":
      return say(event.value.reason.replaceAll("_", " "), "dim");
    case "nodeCanceled":
      return say(event.value.reason.replaceAll("_", " "), "yellow");
    case "errorHandled":
      return say(`${failureText(event.value.failure)}  ${handlingText(event.value)}`, "yellow");
    case "attributesSet":
      return say(payloadText(event.value.attributes));
    case "mapStarted":
      return say(payloadText(event.value.items));
    case "itemStarted":
      return say(`${event.value.index}  ${event.value.childId}  ${payloadText(event.value.input)}`);
    case "itemEnded": {
      const { index, outcome, output, failure } = event.value;
      if (outcome === "failed") return say(`${index} failed  ${failureText(failure)}`, "yellow");
      if (outcome === "canceled") return say(`${index} canceled`, "yellow");
      return say(`${index}  ${payloadText(output)}`, "green");
    }
    case "turnStarted": {
      const { turn, items, carry } = event.value;
      const about = [items, carry].map((payload) => (payload === undefined ? "" : payloadText(payload)));
      return say([`turn ${turn + 1}`, ...about].join("  ").trimEnd());
    }
    case "turnEnded":
      return say(`turn ${event.value.turn + 1}  ${payloadText(event.value.result)}`);
    case "logged":
      return say(`${event.value.level}: ${oneLine(event.value.message)}`);
    case "customEventEmitted":
      return say(`${oneLine(event.value.name)}${keyText(event.value.key)}  ${payloadText(event.value.payload)}`);
    case "nodeReused": {
      const { status, attempt, output, failure } = event.value;
      const what = failure !== undefined && output === undefined ? failureText(failure) : payloadText(output);
      return say(`${status} before${attempt > 0 ? ` in attempt ${attempt}` : ""}  ${what}`, "dim");
    }
    case "varsReused":
      return say(event.value.writes.map(({ nodeId, fields }) => `${nodeId} ${payloadText(fields)}`).join("  "), "dim");
    case "itemsReused":
      return say(`${event.value.indices.length} items`, "dim");
    case "executionReset":
      return say(`${event.value.nodeIds.join(", ")}  ${oneLine(event.value.reason)}`.trimEnd(), "yellow");
    case "humanTaskCreated": {
      const { title, assignee, groups, dueAtMs } = event.value;
      return say(`${oneLine(title)}  ${askedText(assignee, groups)}${limitText(dueAtMs, at)}`);
    }
    case "humanTaskClaimed":
    case "humanTaskReleased":
      return say(`by ${oneLine(event.value.by)}`);
    case "humanTaskReassigned": {
      const { by, assignee, groups } = event.value;
      return say(`by ${oneLine(by)}  ${askedText(assignee, groups)}`);
    }
    case "humanTaskCommented":
      return say(`${oneLine(event.value.by)}: ${truncate(oneLine(event.value.text), PAYLOAD_COLUMNS)}`);
    case "humanTaskAnswered": {
      const { by, answer, values } = event.value;
      const mended = values === undefined ? "" : `  mended ${payloadText(values)}`;
      return say(`${oneLine(by)}: ${payloadText(answer)}${mended}`, "green");
    }
    case "humanTaskEscalated": {
      const { step, assignee, groups, dueAtMs } = event.value;
      return say(`step ${step}  ${askedText(assignee, groups)}${limitText(dueAtMs, at)}`, "yellow");
    }
    case "humanTaskExpired":
      return say("no answer in time", "yellow");
    case undefined:
      return say("");
  }
}

/** Who is asked. */
function askedText(assignee: string, groups: readonly string[]): string {
  if (assignee !== "") return `asks ${oneLine(assignee)}`;
  return groups.length === 0 ? "asks anybody" : `asks ${oneLine(groups.join(", "))}`;
}

function limitText(dueAtMs: bigint, at: number): string {
  return dueAtMs === 0n ? "" : `  within ${formatDuration(Number(dueAtMs) - at)}`;
}

/** What a signal is about. */
export function keyText(key: string | undefined): string {
  return key ? ` (${oneLine(key)})` : "";
}

/** How an execution went on after an error. */
function handlingText({ action, output, fallbackNodeId }: ErrorHandled): string {
  if (action === "fallback") return `goes on with ${oneLine(fallbackNodeId)}`;
  if (action === "incident") return "waits for a person: heddle resolve";
  return action === "continue" ? `goes on with ${payloadText(output)}` : "goes on without it";
}

/** The event as a line: time since the start of the execution, name, node, detail. */
export function renderEventLine(event: ExecutionEvent, options: { startedAtMs: number; style: Style }): string {
  const { style, startedAtMs } = options;
  const { name, nodeId, detail, tone } = describeEvent(event);
  const seconds = (((toMs(event.occurredAt) ?? startedAtMs) - startedAtMs) / 1_000).toFixed(3);
  const what = name.padEnd(20);
  return `${style.dim(`${seconds.padStart(9)}s`)}  ${tone ? style[tone](what) : what}  ${oneLine(nodeId).padEnd(20)}  ${detail}`.trimEnd();
}

function ranText(
  { attempt, worker, startedAtMs }: { attempt: number; worker: string; startedAtMs: bigint },
  at: number,
): string {
  const took = startedAtMs === 0n ? "" : `  ${formatDuration(at - Number(startedAtMs))}`;
  return `attempt ${attempt}${took}${worker ? `  on ${oneLine(worker)}` : ""}`;
}

export function failureText(failure: Failure | undefined): string {
  return failure === undefined
    ? ""
    : truncate(
        `${oneLine(failure.type)}${failure.business ? " (business)" : ""}: ${oneLine(failure.message)}`,
        FAILURE_COLUMNS,
      );
}

export function payloadText(payload: Payload | undefined): string {
  if (payload?.form.case === "reference") {
    return `(${payload.form.value.sizeBytes} bytes, stored apart as ${payload.form.value.digest.slice(0, 12)}…)`;
  }
  return truncate(oneLine(payload?.form.value ?? "null"), PAYLOAD_COLUMNS);
}
