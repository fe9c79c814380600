import { create } from "@bufbuild/protobuf";
import type { BusEvent } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { idBound } from "@heddle/journal";
import { tellAll } from "@heddle/journal-service";
import { PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type DeliverEventRequest,
  DeliverEventRequestSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { toProtoBusEvent } from "../domain/bus-event.ts";
import { isOver } from "./event-waits.ts";
import {
  eventClockToleranceMs,
  eventDeliveriesAtOnce,
  eventWaitsPage,
  recentEventsPruneIntervalMs,
  recentEventsPruneSize,
  recentEventsRetentionMs,
} from "../domain/limits.ts";
import { deleteEventWait, pageEventWaits, type StoredWait } from "../store/event-waits.ts";
import { deleteRecentEvents, insertRecentEvent } from "../store/recent-events.ts";

/**
 * Stores an event and gives it to the nodes that wait for it. An event is stored first and its waits are looked up then; a wait is stored
 * first and looks for events then: whichever comes second finds the other. Everything here can be done again: a node takes an event once.
 * One execution that cannot take it, whatever is tried, keeps it from none of the others. An execution that began after the event does
 * not hear of it: the event may have been on its way for long.
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

  /** @returns whether it waited for it */
  const tell = async (wait: StoredWait, event: DeliverEventRequest["event"]): Promise<boolean> => {
    try {
      await deliver(create(DeliverEventRequestSchema, { ...wait, event }));
      return true;
    } catch (error) {
      if (!(error instanceof DomainError) || !isOver(error)) throw error;
      // Its end was not told, because a process died: nobody waits there any more.
      await deleteEventWait(database, wait);
      return false;
    }
  };

  const prune = async (): Promise<void> => {
    if (now() - prunedAt < recentEventsPruneIntervalMs) return;
    prunedAt = now();
    await deleteRecentEvents(database, new Date(now() - recentEventsRetentionMs), recentEventsPruneSize);
  };

  return async (namespace, event) => {
    const { id, name, key = "", occurredAt } = event;
    // Too old for waits that begin from now on; those that stand have waited for it all the time.
    const isRecent = occurredAt >= now() - recentEventsRetentionMs;
    if (isRecent) await insertRecentEvent(database, namespace, event);
    const payload = create(PayloadSchema, { form: { case: "json", value: JSON.stringify(event.payload) } });
    const before = idBound(occurredAt + eventClockToleranceMs);
    let told = 0;
    await tellAll(pageEventWaits(database, { namespace, name, key, before, pageSize: eventWaitsPage }), {
      atOnce: eventDeliveriesAtOnce,
      async tell(wait) {
        if (await tell(wait, toProtoBusEvent(event, payload))) told += 1;
      },
      onRefused: (wait, error) =>
        logger.error({ err: error, ...wait, event: id }, "an execution cannot take an event that it waits for"),
    });
    await prune();
    return told;
  };
}
