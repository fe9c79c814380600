import type { BusEvent, Json } from "@heddle/engine";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { BusEvent as ProtoBusEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

export function toProtoBusEvent(event: BusEvent, payload: Payload | undefined): ProtoBusEvent {
  return {
    $typeName: "heddle.execution.v1.BusEvent",
    id: event.id,
    name: event.name,
    key: event.key ?? "",
    payload,
    executionId: event.executionId,
    workflowId: event.workflowId,
    occurredAtMs: BigInt(Math.round(event.occurredAt)),
  };
}

/** `payload`: what the message's own stands for. */
export function fromProtoBusEvent(event: ProtoBusEvent, payload: Json): BusEvent {
  const { id, name, key, executionId, workflowId, occurredAtMs } = event;
  return {
    id,
    name,
    ...(key !== "" && { key }),
    payload,
    executionId,
    workflowId,
    occurredAt: Number(occurredAtMs),
  };
}
