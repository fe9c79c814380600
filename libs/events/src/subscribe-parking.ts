import type { BusLogger } from "./bus-log.ts";
import type { EventBus, EventHandler, Subscription } from "./event-bus.ts";
import { createSqlPoisonStore, type SqlPoisonStoreOptions } from "./sql-poison-store.ts";
import type { PositionQueryable } from "./sql-position-store.ts";

export interface SubscribeParkingOptions<Transaction extends PositionQueryable> {
  bus: EventBus;
  /** Of a schema with the table of poison; that of @heddle/store fits. */
  database: SqlPoisonStoreOptions<Transaction>;
  /** All replicas together: whichever of them gets an event handles it for all. */
  group: string;
  topic: string;
  /** The topic is not one of the suite's: see `SubscribeOptions`. */
  foreign?: boolean;
  handler: EventHandler;
  logger: BusLogger;
  /** What is wrong when an event cannot be handled, for the log: "an end cannot be told to its subscribers". */
  complaint: string;
}

/** Subscribes a group of a service to a topic; what it cannot handle is logged and goes to its schema, where a person finds it. */
export function subscribeParking<Transaction extends PositionQueryable>(
  options: SubscribeParkingOptions<Transaction>,
): Subscription {
  const { bus, database, group, topic, foreign = false, handler, logger, complaint } = options;
  const poison = createSqlPoisonStore<Transaction>({ transaction: database.transaction.bind(database) });
  return bus.subscribe({
    group,
    topics: [topic],
    foreign,
    handler,
    async parkPoison(parked) {
      const { ce_id: event } = parked.message.headers;
      logger.error(
        { err: parked.error, event, group, topic, offset: parked.offset },
        `${complaint}; the event is set aside`,
      );
      await poison.park(parked);
    },
  });
}
