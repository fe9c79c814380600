import type { Message } from "kafkajs";
import type { EventMessage } from "../event-message.ts";

/** One call of `publish` that is not acknowledged yet. */
export interface PendingBatch {
  readonly messages: readonly EventMessage[];
  /** Bytes of each message. */
  readonly sizes: readonly number[];
  readonly topics: ReadonlySet<string>;
}

/** A message on its way, and the call that it belongs to. */
export interface PendingMessage {
  readonly message: EventMessage;
  readonly bytes: number;
  readonly batch: PendingBatch;
  /** What the client sends, made once: a repetition must be the same, down to the partition. */
  record?: Message;
}

export interface RequestBounds {
  maxMessages: number;
  maxBytes: number;
}

/**
 * What `publish` was given and the broker has not acknowledged, in order. Calls that wait share requests; a call
 * that is larger than a request is spread over several.
 */
export interface PublishQueue {
  readonly bytes: number;
  /** Resolves when all of the batch is settled. */
  add(batch: PendingBatch): Promise<void>;
  /** The calls that have messages left to take, the oldest first. */
  waiting(): Iterable<PendingBatch>;
  /** The next messages, in order, up to the bounds; at least one, unless nothing is left. They stay until settled. */
  take(bounds: RequestBounds): PendingMessage[];
  settle(messages: readonly PendingMessage[]): void;
  /** Rejects the call and forgets what is left of it. */
  fail(batch: PendingBatch, error: Error): void;
  failAll(error: Error): void;
}

interface Entry {
  batch: PendingBatch;
  taken: number;
  settled: number;
  resolve(): void;
  reject(error: Error): void;
}

export function createPublishQueue(): PublishQueue {
  const entries = new Map<PendingBatch, Entry>();
  let bytes = 0;

  function remove(entry: Entry): void {
    entries.delete(entry.batch);
    for (let at = entry.settled; at < entry.batch.sizes.length; at++) bytes -= entry.batch.sizes[at] as number;
  }

  return {
    get bytes() {
      return bytes;
    },
    add(batch) {
      if (batch.messages.length === 0) return Promise.resolve();
      for (const size of batch.sizes) bytes += size;
      return new Promise((resolve, reject) => {
        entries.set(batch, { batch, taken: 0, settled: 0, resolve, reject });
      });
    },
    *waiting() {
      for (const { batch, taken } of entries.values()) if (taken < batch.messages.length) yield batch;
    },
    take({ maxMessages, maxBytes }) {
      const messages: PendingMessage[] = [];
      let total = 0;
      for (const entry of entries.values()) {
        const { batch } = entry;
        while (entry.taken < batch.messages.length) {
          const size = batch.sizes[entry.taken] as number;
          if (messages.length > 0 && (messages.length >= maxMessages || total + size > maxBytes)) return messages;
          messages.push({ message: batch.messages[entry.taken] as EventMessage, bytes: size, batch });
          entry.taken += 1;
          total += size;
        }
      }
      return messages;
    },
    settle(messages) {
      for (const { batch, bytes: size } of messages) {
        const entry = entries.get(batch);
        if (entry === undefined) continue;
        entry.settled += 1;
        bytes -= size;
        if (entry.settled < batch.messages.length) continue;
        entries.delete(batch);
        entry.resolve();
      }
    },
    fail(batch, error) {
      const entry = entries.get(batch);
      if (entry === undefined) return;
      remove(entry);
      entry.reject(error);
    },
    failAll(error) {
      for (const entry of entries.values()) {
        remove(entry);
        entry.reject(error);
      }
    },
  };
}
