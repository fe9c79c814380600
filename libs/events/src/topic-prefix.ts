import type { DeliveryContext, EventBus, ParkPoison } from "./event-bus.ts";
import type { EventMessage } from "./event-message.ts";

/**
 * The same bus, whose topics and groups are called otherwise where they are kept: several installations then share one
 * broker without seeing each other. Handlers, and what they put aside, know the names without the prefix.
 */
export function prefixTopics(bus: EventBus, prefix: string): EventBus {
  if (prefix === "") return bus;
  return {
    publish: (batch) => bus.publish(batch.map((message) => ({ ...message, topic: prefix + message.topic }))),
    subscribe({ group, topics, handler, parkPoison, ...rest }) {
      if (rest.foreign) {
        return bus.subscribe({
          ...rest,
          group: prefix + group,
          topics,
          handler: (messages, context) => handler(messages, { ...context, group }),
          parkPoison: (poison) => parkPoison({ ...poison, group }),
        });
      }
      return bus.subscribe({
        ...rest,
        group: prefix + group,
        topics: topics.map((topic) => prefix + topic),
        handler: (messages, context) =>
          handler(
            messages.map((message) => withoutPrefix(message, prefix)),
            contextWithout(context, prefix),
          ),
        parkPoison: parkWithoutPrefix(parkPoison, prefix),
      });
    },
    hasConsumers: (topic) => bus.hasConsumers(prefix + topic),
    close: () => bus.close(),
  };
}

/** What is put aside keeps the names that it would have on a broker of its own. */
export function parkWithoutPrefix(park: ParkPoison, prefix: string): ParkPoison {
  return (poison) =>
    park({
      ...poison,
      // Events that no broker takes are put aside by no group of the broker.
      group: poison.group.startsWith(prefix) ? poison.group.slice(prefix.length) : poison.group,
      message: withoutPrefix(poison.message, prefix),
    });
}

function withoutPrefix(message: EventMessage, prefix: string): EventMessage {
  return { ...message, topic: message.topic.slice(prefix.length) };
}

function contextWithout({ group, topic, partition, signal }: DeliveryContext, prefix: string): DeliveryContext {
  return { group: group.slice(prefix.length), topic: topic.slice(prefix.length), partition, signal };
}
