import type { EventMessage } from "./event-message.ts";

/**
 * Carries events from services to whoever asks for them. Narrow on purpose: Kafka, and memory for one process, give
 * exactly this. Delivery is at least once; messages of one key are delivered to a group in the order of publishing.
 */
export interface EventBus {
  /**
   * Resolves when the batch is safe: for a broker, acknowledged; for the memory bus, handled or parked by every group.
   * A publisher moves its cursor then and not before, so that a crash repeats events instead of losing them.
   * When it rejects, some of the batch may have been delivered: publish the same batch again.
   */
  publish(batch: readonly EventMessage[]): Promise<void>;
  /** Joins a group: its partitions are shared by its members, each message goes to one of them. */
  subscribe(options: SubscribeOptions): Subscription;
  /** False when a message to this topic would reach nobody and leave no trace, so that it need not even be made. */
  hasConsumers(topic: string): boolean;
  /** Waits for the handlers under way; `publish` calls under way reject. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  /** Groups are independent of each other: each gets every message. */
  group: string;
  topics: readonly string[];
  handler: EventHandler;
  /** Where messages go that no delivery could get handled; the group then goes on behind them. */
  parkPoison: ParkPoison;
  /**
   * True (default): the group outlives its last member, and its messages wait for the next one; on the memory bus as
   * long as the bus lives. False: it is forgotten with its last member, for consumers that only look on.
   */
  durable?: boolean;
  /** True: the topics are others', who know nothing of a prefix that topics of this installation have. Default false. */
  foreign?: boolean;
}

export interface Subscription {
  /** Leaves the group: handlers under way are waited for, what is not handled goes to other members. */
  close(): Promise<void>;
}

/**
 * Handles messages of one partition of one topic, in order. Resolving means that all of them are done. When it rejects,
 * they come again one by one, each after a growing pause, so that one bad message holds up nobody but itself. With an error
 * that passes (`isPassing` of @heddle/errors: something that the handler needs is away) they come again until it has passed.
 * A handler that never settles holds its partition: it needs a deadline of its own.
 */
export type EventHandler = (messages: readonly EventMessage[], context: DeliveryContext) => Promise<void>;

export interface DeliveryContext {
  readonly group: string;
  readonly topic: string;
  /** Partition of the topic; not the one of the source's journal. */
  readonly partition: number;
  /** Aborted when the subscription closes: finish soon, or reject and let another member do it. */
  readonly signal: AbortSignal;
}

/** When it rejects, the message stays where it is and is tried again: nothing is dropped unseen. */
export type ParkPoison = (poison: PoisonMessage) => Promise<void>;

export interface PoisonMessage {
  readonly group: string;
  readonly message: EventMessage;
  readonly partition: number;
  /** Deliveries of this message alone, without those that met an outage. */
  readonly attempts: number;
  /** What the last delivery failed with. */
  readonly error: unknown;
  /** Where the broker keeps the message, within its partition. Absent on a bus that keeps nothing. */
  readonly offset?: number;
}
