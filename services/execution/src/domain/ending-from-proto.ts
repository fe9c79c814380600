import type { CompensationRecord, ExecutionEnd, IncidentResolution } from "@heddle/engine";
import { type PayloadReader, readFailure } from "@heddle/journal-service";
import type {
  CompensationRecorded,
  ExecutionEnding,
  IncidentResolved,
} from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

/** The way back from the journal: see ending-to-proto.ts. */
export function endFromProto(event: ExecutionEnding, payloads: PayloadReader): ExecutionEnd {
  const { outcome, output, failure, reason } = event;
  switch (outcome) {
    case "completed":
      return { outcome, output: payloads.read(output) ?? null };
    case "failed":
      return { outcome, failure: readFailure(failure, payloads) };
    default:
      return { outcome: "canceled", reason };
  }
}

export function recordFromProto(record: CompensationRecorded, payloads: PayloadReader): CompensationRecord {
  const { nodeId, failure, childId } = record;
  const input = payloads.read(record.input);
  return {
    nodeId,
    ...(input !== undefined && { input }),
    ...(failure !== undefined && { failure: readFailure(failure, payloads) }),
    ...(childId !== "" && { childId }),
  };
}

export function resolutionFromProto(event: IncidentResolved, payloads: PayloadReader): IncidentResolution {
  switch (event.action) {
    case "retry": {
      const input = payloads.read(event.input);
      return { action: "retry", ...(input !== undefined && { input }) };
    }
    case "complete":
      return { action: "complete", output: payloads.read(event.output) ?? null };
    case "skip":
      return { action: "skip" };
    default:
      return { action: "fail" };
  }
}
