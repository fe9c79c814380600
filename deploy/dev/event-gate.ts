import type { EventBus, EventSink } from "@heddle/events";

/** What publishers get instead of the bus itself. */
export interface EventGate {
  sink: EventSink;
  /** All consumers listen. */
  open(): void;
  /** Closes the bus: what is not handled yet is published again by the next start. */
  close(): Promise<void>;
}

/**
 * A memory bus gives events to those that listen at the moment, and a publisher waits until all of them have handled it.
 * Services that hear one another can be started in no order, and stopped in none, in which nobody publishes while somebody
 * is away: so events are held until all listen, and none is waited for from the moment when the first one leaves.
 */
export function createEventGate(bus: EventBus): EventGate {
  const opened = Promise.withResolvers<void>();
  let isOpen = false;
  return {
    sink: {
      async publish(batch) {
        await opened.promise;
        await bus.publish(batch);
      },
      // While it is not open nobody can say who is going to listen.
      hasConsumers: (topic) => !isOpen || bus.hasConsumers(topic),
    },
    open() {
      isOpen = true;
      opened.resolve();
    },
    async close() {
      isOpen = false;
      const closed = bus.close();
      opened.resolve();
      await closed;
    },
  };
}
