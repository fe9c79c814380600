import type { ParkPoison } from "@heddle/events";
import type { Queryable } from "@heddle/store";

/** Puts events that no delivery could get handled where a person can look at them and publish them again. */
export function createEventParking(database: Queryable): ParkPoison {
  return async ({ group, message, error }) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await database.query({
      text: `insert into parked_events (consumer_group, topic, event_id, event, error, parked_at)
        values ($1, $2, $3, $4, $5, now()) on conflict do nothing`,
      values: [group, message.topic, message.headers.ce_id, Buffer.from(message.value), text.slice(0, 10_000)],
    });
  };
}
