import type { ItemCounts, Json, NodeReused } from "@heddle/engine";
import { objectOf, type PayloadReader, readFailure } from "@heddle/journal-service";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { SteeringEvent } from "./steering-to-proto.ts";

type ProtoEvent = ExecutionEvent["event"];
type Steering = Extract<ProtoEvent, { case: "nodeReused" | "varsReused" | "itemsReused" | "executionReset" }>;

/** Events of reruns and resets. Absent fields stay absent. */
export function steeringFromProto(event: Steering, at: number, payloads: PayloadReader): SteeringEvent {
  switch (event.case) {
    case "nodeReused":
      return nodeReused(event.value, at, payloads);
    case "varsReused":
      return {
        type: "vars_reused",
        at,
        writes: event.value.writes.map(({ nodeId, fields }) => ({ nodeId, fields: objectOf(payloads.read(fields)) })),
      };
    case "itemsReused": {
      const { nodeId, indices, items, outputs } = event.value;
      const list = (payload: typeof items) => (payloads.read(payload) ?? []) as Json[];
      return { type: "items_reused", at, nodeId, indices, items: list(items), outputs: list(outputs) };
    }
    case "executionReset": {
      const { nodeIds, reason, requestId } = event.value;
      return { type: "execution_reset", at, nodeIds, reason, requestId };
    }
  }
}

function nodeReused(
  value: Extract<Steering, { case: "nodeReused" }>["value"],
  at: number,
  payloads: PayloadReader,
): NodeReused {
  const { nodeId, status, output, failure, handled, fallbackNodeId, skipReason, chosen, attempt } = value;
  const read = payloads.read(output);
  return {
    type: "node_reused",
    at,
    nodeId,
    status: status as NodeReused["status"],
    attempt,
    ...(read !== undefined && { output: read }),
    ...(failure !== undefined && { failure: readFailure(failure, payloads) }),
    ...(handled && { isHandled: true }),
    ...(fallbackNodeId !== "" && { fallbackId: fallbackNodeId }),
    ...(skipReason !== "" && { skipReason: skipReason as NonNullable<NodeReused["skipReason"]> }),
    ...(chosen.length > 0 && { chosen }),
    ...(value.itemCounts !== undefined && { itemCounts: countsFromProto(value.itemCounts) }),
    ...(value.childId !== "" && { childId: value.childId }),
    ...(value.machineId !== "" && { machineId: value.machineId }),
    ...(value.worker !== "" && { worker: value.worker }),
    ...(value.startedAtMs !== 0n && { startedAt: Number(value.startedAtMs) }),
    ...(value.endedAtMs !== 0n && { endedAt: Number(value.endedAtMs) }),
  };
}

function countsFromProto({ count, succeeded, failed }: ItemCounts): ItemCounts {
  return { count, succeeded, failed };
}
