import { createSqlPoisonStore, type EventBus, type Subscription } from "@heddle/events";
import type { Database, Transaction } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { readCloudEvent } from "./cloud-event.ts";
import type { TellEvent } from "./tell-event.ts";

/** Each topic has a group of its own, so that one that is missing, or full of what nobody can read, holds up no other. */
const GROUP = "heddle.execution.cloudevents";

export interface CloudEventConsumerOptions {
  bus: EventBus;
  /** Topics of others. */
  topics: readonly string[];
  /** Of events that name none. */
  namespace: string;
  database: Database;
  tell: TellEvent;
  now(): number;
  logger: Logger;
}

/**
 * Follows CloudEvents of others, and gives each to the nodes that wait for it, as PublishEvent would: it is stored before its offset is
 * committed, and a copy of it is told to nobody twice. Also while nobody waits: whoever begins to within the hour is offered it.
 */
export function consumeCloudEvents(options: CloudEventConsumerOptions): Subscription[] {
  const { bus, topics, namespace, database, tell, now, logger } = options;
  const poison = createSqlPoisonStore<Transaction>({ transaction: database.transaction });
  return [...new Set(topics)].map((topic) =>
    bus.subscribe({
      group: `${GROUP}.${topic}`,
      topics: [topic],
      foreign: true,
      async handler(messages) {
        for (const message of messages) {
          const heard = readCloudEvent(message, { namespace, now: now() });
          await tell(heard.namespace, heard.event);
        }
      },
      async parkPoison(parked) {
        logger.error(
          { err: parked.error, topic, offset: parked.offset },
          "an event of others cannot be told, and is set aside",
        );
        await poison.park(parked);
      },
    }),
  );
}
