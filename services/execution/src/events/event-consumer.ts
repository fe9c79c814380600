import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { BusEvent, Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { createSqlPoisonStore, type EventBus, type EventMessage, type Subscription } from "@heddle/events";
import { findPayload } from "@heddle/journal-service";
import { PayloadSchema, type Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import {
  type DeliverEventRequest,
  DeliverEventRequestSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Database, Transaction } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { toProtoBusEvent } from "../domain/bus-event.ts";
import { isOver } from "../domain/event-waits.ts";
import {
  eventDeliveriesAtOnce,
  recentEventsPruneIntervalMs,
  recentEventsPruneSize,
  recentEventsRetentionMs,
} from "../domain/limits.ts";
import { deleteEventWait, listEventWaits, type StoredWait } from "../store/event-waits.ts";
import { deleteRecentEvents, insertRecentEvent } from "../store/recent-events.ts";
import { isCustomEvent } from "./peek-custom.ts";

/** All replicas together: whoever of them hears an event tells the owners of those that wait for it. */
const GROUP = "heddle.execution.events";

export interface EventConsumerOptions {
  bus: EventBus;
  database: Database;
  /** Tells the owner of the execution, wherever it is. */
  deliver(request: DeliverEventRequest): Promise<unknown>;
  now(): number;
  logger: Logger;
}

/**
 * Follows the events that definitions emit, and gives each to the nodes that wait for it. An event is stored first and its waits are
 * looked up then; a wait is stored first and looks for events then: whichever comes second finds the other. Positions are not kept:
 * everything here can be done again, and a node takes an event once.
 */
export function consumeEvents(options: EventConsumerOptions): Subscription {
  const { bus, database, deliver, now, logger } = options;
  const poison = createSqlPoisonStore<Transaction>({ transaction: database.transaction });
  let prunedAt = Number.NEGATIVE_INFINITY;

  const take = async ({ value }: EventMessage): Promise<void> => {
    if (!isCustomEvent(value)) return;
    const { executionId, seq, occurredAt, event } = fromBinary(ExecutionEventSchema, value);
    // Events of releases that did not tell whose they are concern nobody.
    if (event.case !== "customEventEmitted" || event.value.namespace === "") return;
    const { name, key, namespace, workflowId } = event.value;
    const json = await textOf(database, event.value.payload);
    const occurredAtMs = occurredAt === undefined ? now() : timestampMs(occurredAt);
    if (json === undefined || occurredAtMs < now() - recentEventsRetentionMs) return;
    const busEvent: BusEvent = {
      id: `${executionId}/${seq}`,
      name,
      ...(key !== "" && { key }),
      payload: JSON.parse(json) as Json,
      executionId,
      workflowId,
      occurredAt: occurredAtMs,
    };
    await insertRecentEvent(database, namespace, busEvent);
    const payload = create(PayloadSchema, { form: { case: "json", value: json } });
    const waits = await listEventWaits(database, { namespace, name, key });
    for (let at = 0; at < waits.length; at += eventDeliveriesAtOnce) {
      const some = waits.slice(at, at + eventDeliveriesAtOnce);
      await Promise.all(some.map((wait) => tell(wait, toProtoBusEvent(busEvent, payload))));
    }
  };

  const tell = async (wait: StoredWait, event: DeliverEventRequest["event"]): Promise<void> => {
    try {
      await deliver(create(DeliverEventRequestSchema, { ...wait, event }));
    } catch (error) {
      if (!(error instanceof DomainError) || !isOver(error)) throw error;
      // Its end was not told, because a process died: nobody waits there any more.
      await deleteEventWait(database, wait);
    }
  };

  const prune = async (): Promise<void> => {
    if (now() - prunedAt < recentEventsPruneIntervalMs) return;
    prunedAt = now();
    await deleteRecentEvents(database, new Date(now() - recentEventsRetentionMs), recentEventsPruneSize);
  };

  return bus.subscribe({
    group: GROUP,
    topics: [ExecutionEventSchema.typeName],
    async handler(messages) {
      for (const message of messages) await take(message);
      await prune();
    },
    async parkPoison(message) {
      const { ce_id: id } = message.message.headers;
      logger.error({ err: message.error, event: id }, "an event cannot be given to those that wait, and is set aside");
      await poison.park(message);
    },
  });
}

/** Undefined when the payload is gone with its execution. */
async function textOf(database: Database, payload: Payload | undefined): Promise<string | undefined> {
  if (payload?.form.case !== "reference") return payload?.form.value ?? "null";
  return (await findPayload(database, payload.form.value.digest))?.toString();
}
