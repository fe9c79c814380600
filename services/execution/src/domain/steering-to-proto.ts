import type { Event, NodeReused } from "@heddle/engine";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { PayloadWriter } from "@heddle/journal-service";

type ProtoEvent = ExecutionEvent["event"];

const PACKAGE = "heddle.execution.v1";

export type SteeringEvent = Extract<
  Event,
  { type: "node_reused" | "vars_reused" | "items_reused" | "execution_reset" }
>;

/** Events of reruns and resets. */
export function steeringToProto(event: SteeringEvent, payloads: PayloadWriter): ProtoEvent {
  switch (event.type) {
    case "node_reused":
      return nodeReused(event, payloads);
    case "vars_reused":
      return {
        case: "varsReused",
        value: {
          $typeName: `${PACKAGE}.VarsReused`,
          writes: event.writes.map(({ nodeId, fields }) => ({
            $typeName: `${PACKAGE}.VarsWrite`,
            nodeId,
            fields: payloads.write(`output of node ${nodeId}`, fields),
          })),
        },
      };
    case "items_reused":
      return {
        case: "itemsReused",
        value: {
          $typeName: `${PACKAGE}.ItemsReused`,
          nodeId: event.nodeId,
          indices: event.indices,
          items: payloads.write(`items of node ${event.nodeId}`, event.items),
          outputs: payloads.write(`outputs of node ${event.nodeId}`, event.outputs),
        },
      };
    case "execution_reset":
      return {
        case: "executionReset",
        value: {
          $typeName: `${PACKAGE}.ExecutionReset`,
          nodeIds: event.nodeIds,
          reason: event.reason,
          requestId: event.requestId,
        },
      };
  }
}

function nodeReused(event: NodeReused, payloads: PayloadWriter): ProtoEvent {
  return {
    case: "nodeReused",
    value: {
      $typeName: `${PACKAGE}.NodeReused`,
      nodeId: event.nodeId,
      status: event.status,
      output: payloads.write(`output of node ${event.nodeId}`, event.output),
      failure: event.failure && payloads.failure(event.failure),
      handled: event.isHandled ?? false,
      fallbackNodeId: event.fallbackId ?? "",
      skipReason: event.skipReason ?? "",
      chosen: event.chosen ?? [],
      attempt: event.attempt,
      childId: event.childId ?? "",
      machineId: event.machineId ?? "",
      worker: event.worker ?? "",
      startedAtMs: BigInt(event.startedAt ?? 0),
      endedAtMs: BigInt(event.endedAt ?? 0),
      itemCounts: event.itemCounts && { $typeName: `${PACKAGE}.ItemCounts`, ...event.itemCounts },
    },
  };
}
