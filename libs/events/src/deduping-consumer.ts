import type { DeliveryContext, EventHandler } from "./event-bus.ts";
import { comparePositions, type EventMessage, findSourcePosition, type SourcePosition } from "./event-message.ts";
import type { Mark, PositionKey, PositionStore } from "./position-store.ts";

export interface DedupingConsumerOptions<Transaction> {
  positions: PositionStore<Transaction>;
  /**
   * Takes effect within `transaction`, which also holds the new positions. Never called with an event that took effect
   * before, and not at all when none of a delivery is new. Effects outside of the transaction may happen twice.
   */
  handler(
    messages: readonly EventMessage[],
    context: DeliveryContext & { readonly transaction: Transaction },
  ): Promise<void>;
}

/**
 * Makes at-least-once delivery take effect once: a handler for `subscribe` that skips what its group has handled.
 * Costs one row per partition of the bus and partition of the source, not one per event. Every message needs a source
 * position (see EventHeaders); one without is refused and so parked in the end.
 */
export function createDedupingConsumer<Transaction>(options: DedupingConsumerOptions<Transaction>): EventHandler {
  const { positions, handler } = options;

  return async (messages, context) => {
    const { group, topic, partition } = context;
    const located = messages.map((message) => locate(message));
    const sources = [...new Set(located.map(({ source }) => source))];
    // Everybody locks in the same order, or two consumers of one partition could wait for each other.
    const keys = sources.toSorted().map((source): PositionKey => ({ group, topic, partition, source }));
    await positions.transaction(async (transaction) => {
      const locked = await positions.lock(transaction, keys);
      const marks = new Map<string, Mark | undefined>(keys.map(({ source }, index) => [source, locked[index]]));
      const fresh = located.filter(({ source, position }) => {
        const mark = marks.get(source);
        if (mark !== undefined && comparePositions(position, mark) <= 0) return false;
        // Also drops the second of two copies within one delivery.
        marks.set(source, position);
        return true;
      });
      if (fresh.length === 0) return;
      await handler(
        fresh.map(({ message }) => message),
        { ...context, transaction },
      );
      const changed = new Set(fresh.map(({ source }) => source));
      await positions.save(
        transaction,
        keys
          .filter(({ source }) => changed.has(source))
          .map((key) => ({ key, mark: marks.get(key.source) as SourcePosition })),
      );
    });
  };
}

function locate(message: EventMessage): { message: EventMessage; source: string; position: SourcePosition } {
  const position = findSourcePosition(message);
  if (position === undefined) {
    throw new Error(
      `event ${message.headers.ce_id} of ${message.topic} has no source position, so a repetition could not be told from news; publish it with heddle-partition and heddle-offset, or consume the topic without createDedupingConsumer`,
    );
  }
  return { message, source: `${message.headers.ce_source}#${position.partition}`, position };
}
