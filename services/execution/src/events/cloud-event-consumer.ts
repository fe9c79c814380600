import { type EventBus, subscribeParking, type Subscription } from "@heddle/events";
import type { Database } from "@heddle/store";
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
  return [...new Set(topics)].map((topic) =>
    subscribeParking({
      bus,
      database,
      group: `${GROUP}.${topic}`,
      topic,
      foreign: true,
      logger,
      complaint: "an event of others cannot be told",
      async handler(messages) {
        for (const message of messages) {
          const heard = readCloudEvent(message, { namespace, now: now() });
          await tell(heard.namespace, heard.event);
        }
      },
    }),
  );
}
