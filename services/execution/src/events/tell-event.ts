import { create } from "@bufbuild/protobuf";
import type { BusEvent } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type DeliverEventRequest,
  DeliverEventRequestSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { toProtoBusEvent } from "../domain/bus-event.ts";
import { isOver } from "./event-waits.ts";
import { mayPass } from "./patience.ts";
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
 * One execution that cannot take it, whatever is tried, keeps it from none of the others.
 * @returns how many nodes were told
 * @throws DomainError when somebody could not be told who may be, later: tell it again
 */
export type TellEvent = (namespace: string, event: BusEvent) => Promise<number>;

export interface TellEventOptions {
  database: Database;
  /** Tells the owner of the execution, wherever it is. */
  deliver(request: DeliverEventRequest): Promise<unknown>;
  now(): number;
  logger: Logger;
}

export function createTellEvent({ database, deliver, now, logger }: TellEventOptions): TellEvent {
  let prunedAt = Number.NEGATIVE_INFINITY;

  const tell = async (wait: StoredWait, event: DeliverEventRequest["event"]): Promise<number> => {
    try {
      await deliver(create(DeliverEventRequestSchema, { ...wait, event }));
      return 1;
    } catch (error) {
      if (error instanceof DomainError && isOver(error)) {
        // Its end was not told, because a process died: nobody waits there any more.
        await deleteEventWait(database, wait);
      } else if (mayPass(error)) {
        throw error;
      } else {
        logger.error({ err: error, ...wait, event: event?.id }, "an execution cannot take an event that it waits for");
      }
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
    const failures: unknown[] = [];
    for (let at = 0; at < waits.length; at += eventDeliveriesAtOnce) {
      const some = waits.slice(at, at + eventDeliveriesAtOnce);
      const outcomes = await Promise.allSettled(some.map((wait) => tell(wait, toProtoBusEvent(event, payload))));
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") told += outcome.value;
        else failures.push(outcome.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
    await prune();
    return told;
  };
}
