import { create } from "@bufbuild/protobuf";
import type { BusEvent } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type DeliverEventRequest,
  DeliverEventRequestSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Database } from "@heddle/store";
import { toProtoBusEvent } from "../domain/bus-event.ts";
import { isOver } from "./event-waits.ts";
import {
  eventDeliveriesAtOnce,
  recentEventsPruneIntervalMs,
  recentEventsPruneSize,
  recentEventsRetentionMs,
} from "../domain/limits.ts";
import { deleteEventWait, listEventWaits, type StoredWait } from "../store/event-waits.ts";
import { deleteRecentEvents, insertRecentEvent } from "../store/recent-events.ts";

/**
 * Stores an event and gives it to the nodes that wait for it. An event is stored first and its waits are looked up then; a wait is stored
 * first and looks for events then: whichever comes second finds the other. Everything here can be done again: a node takes an event once.
 * @returns how many nodes were told
 */
export type TellEvent = (namespace: string, event: BusEvent) => Promise<number>;

export interface TellEventOptions {
  database: Database;
  /** Tells the owner of the execution, wherever it is. */
  deliver(request: DeliverEventRequest): Promise<unknown>;
  now(): number;
}

export function createTellEvent({ database, deliver, now }: TellEventOptions): TellEvent {
  let prunedAt = Number.NEGATIVE_INFINITY;

  const tell = async (wait: StoredWait, event: DeliverEventRequest["event"]): Promise<number> => {
    try {
      await deliver(create(DeliverEventRequestSchema, { ...wait, event }));
      return 1;
    } catch (error) {
      if (!(error instanceof DomainError) || !isOver(error)) throw error;
      // Its end was not told, because a process died: nobody waits there any more.
      await deleteEventWait(database, wait);
      return 0;
    }
  };

  const prune = async (): Promise<void> => {
    if (now() - prunedAt < recentEventsPruneIntervalMs) return;
    prunedAt = now();
    await deleteRecentEvents(database, new Date(now() - recentEventsRetentionMs), recentEventsPruneSize);
  };

  return async (namespace, event) => {
    if (event.occurredAt < now() - recentEventsRetentionMs) return 0;
    await insertRecentEvent(database, namespace, event);
    const { name, key = "" } = event;
    const waits = await listEventWaits(database, { namespace, name, key });
    const payload = create(PayloadSchema, { form: { case: "json", value: JSON.stringify(event.payload) } });
    let told = 0;
    for (let at = 0; at < waits.length; at += eventDeliveriesAtOnce) {
      const some = waits.slice(at, at + eventDeliveriesAtOnce);
      const counts = await Promise.all(some.map((wait) => tell(wait, toProtoBusEvent(event, payload))));
      for (const count of counts) told += count;
    }
    await prune();
    return told;
  };
}
