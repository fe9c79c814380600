import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Json } from "@heddle/engine";
import { createOneofPeek, type EventBus, type EventMessage, type Subscription, subscribeParking } from "@heddle/events";
import { findPayload } from "@heddle/journal-service";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import type { TellEvent } from "./tell-event.ts";

/** All replicas together: whoever of them hears an event tells the owners of those that wait for it. */
const GROUP = "heddle.execution.events";

const peekCustom = createOneofPeek(ExecutionEventSchema, ["customEventEmitted"]);

export interface EventConsumerOptions {
  bus: EventBus;
  database: Database;
  tell: TellEvent;
  now(): number;
  logger: Logger;
}

/** Follows the events that definitions emit, and gives each to the nodes that wait for it. Positions are not kept: see `TellEvent`. */
export function consumeEvents({ bus, database, tell, now, logger }: EventConsumerOptions): Subscription {
  const take = async ({ value }: EventMessage): Promise<void> => {
    if (peekCustom(value) === undefined) return;
    const { executionId, seq, occurredAt, event } = fromBinary(ExecutionEventSchema, value);
    // Events of releases that did not tell whose they are concern nobody.
    if (event.case !== "customEventEmitted" || event.value.namespace === "") return;
    const { name, key, namespace, workflowId } = event.value;
    const json = await textOf(database, event.value.payload);
    if (json === undefined) return;
    await tell(namespace, {
      id: `${executionId}/${seq}`,
      name,
      ...(key !== "" && { key }),
      payload: JSON.parse(json) as Json,
      executionId,
      workflowId,
      occurredAt: occurredAt === undefined ? now() : timestampMs(occurredAt),
    });
  };

  return subscribeParking({
    bus,
    database,
    group: GROUP,
    topic: ExecutionEventSchema.typeName,
    async handler(messages) {
      for (const message of messages) await take(message);
    },
    logger,
    complaint: "an event cannot be given to those that wait for it",
  });
}

/** Undefined when the payload is gone with its execution. */
async function textOf(database: Database, payload: Payload | undefined): Promise<string | undefined> {
  if (payload?.form.case !== "reference") return payload?.form.value ?? "null";
  return (await findPayload(database, payload.form.value.digest))?.toString();
}
