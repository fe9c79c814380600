import type { CompensationRecord, Event } from "@heddle/engine";
import type { PayloadWriter } from "@heddle/journal-service";
import type { CompensationRecorded, ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

const PACKAGE = "heddle.execution.v1";

type EndingEvent = Extract<
  Event,
  {
    type:
      | "incident_resolved"
      | "execution_ending"
      | "execution_ending_hastened"
      | "execution_error_handled"
      | "compensation_recorded"
      | "compensation_started"
      | "child_ended";
  }
>;

/** What happens between the decision that an execution ends and its end. */
export function endingToProto(event: EndingEvent, payloads: PayloadWriter): ExecutionEvent["event"] {
  switch (event.type) {
    case "execution_ending": {
      const { end, dueAt } = event;
      return {
        case: "executionEnding",
        value: {
          $typeName: `${PACKAGE}.ExecutionEnding`,
          outcome: end.outcome,
          output: end.outcome === "completed" ? payloads.write("output", end.output) : undefined,
          failure: end.outcome === "failed" ? payloads.failure(end.failure) : undefined,
          reason: end.outcome === "canceled" ? end.reason : "",
          dueAtMs: BigInt(Math.ceil(dueAt ?? 0)),
        },
      };
    }
    case "execution_ending_hastened":
      return {
        case: "executionEndingHastened",
        value: {
          $typeName: `${PACKAGE}.ExecutionEndingHastened`,
          reason: event.reason,
          dueAtMs: BigInt(Math.ceil(event.dueAt ?? 0)),
        },
      };
    case "execution_error_handled": {
      const { failure, outcome, dueAt } = event;
      return {
        case: "executionErrorHandled",
        value: {
          $typeName: `${PACKAGE}.ExecutionErrorHandled`,
          failure: payloads.failure(failure),
          action: outcome.action,
          fallbackNodeId: outcome.action === "fallback" ? outcome.fallbackId : "",
          dueAtMs: BigInt(Math.ceil(dueAt ?? 0)),
        },
      };
    }
    case "incident_resolved": {
      const { nodeId, resolution, reason } = event;
      return {
        case: "incidentResolved",
        value: {
          $typeName: `${PACKAGE}.IncidentResolved`,
          nodeId,
          action: resolution.action,
          input:
            resolution.action === "retry" ? payloads.write(`input of node ${nodeId}`, resolution.input) : undefined,
          output:
            resolution.action === "complete"
              ? payloads.write(`output of node ${nodeId}`, resolution.output)
              : undefined,
          reason,
        },
      };
    }
    case "compensation_recorded":
      return { case: "compensationRecorded", value: recordToProto(event, payloads) };
    case "compensation_started":
      return {
        case: "compensationStarted",
        value: { $typeName: `${PACKAGE}.CompensationStarted`, nodeId: event.nodeId },
      };
    case "child_ended":
      return {
        case: "childEnded",
        value: { $typeName: `${PACKAGE}.ChildEnded`, nodeId: event.nodeId, childId: event.childId },
      };
  }
}

export function recordToProto(record: CompensationRecord, payloads: PayloadWriter): CompensationRecorded {
  const { nodeId, input, failure, childId } = record;
  return {
    $typeName: `${PACKAGE}.CompensationRecorded`,
    nodeId,
    input: payloads.write(`input of the compensation of node ${nodeId}`, input),
    failure: failure === undefined ? undefined : payloads.failure(failure),
    childId: childId ?? "",
  };
}
