import { type DomainError, isPassing } from "@heddle/errors";
import type { EventMessage } from "./event-message.ts";
import type { BusLimits } from "./limits.ts";

/** Counts what somebody still waits for: a call of `publish`, or the offset of a message. */
export interface Receipt {
  remaining: number;
  onSettled(): void;
  /** Where a broker keeps the message. */
  readonly offset?: number;
}

/** The member that a partition belongs to now. Asked for before every delivery: members come and go. */
export interface LaneOwner {
  deliver(messages: readonly EventMessage[]): Promise<void>;
  park(message: EventMessage, attempts: number, error: unknown, offset?: number): Promise<void>;
  /** It is on its way out: what it rejects now says nothing about the message. */
  isLeaving(): boolean;
}

export interface LaneOptions {
  limits: BusLimits;
  /** Undefined while the group has no member for this partition. */
  owner(): LaneOwner | undefined;
  /** So many messages were delivered in vain, and will be again or are parked. */
  onFailedDelivery?(messages: number): void;
  /** The message at the head met an outage, so many times in a row: it comes again, and is no nearer to being parked. */
  onPostponed?(postponement: Postponement): void;
}

export interface Postponement {
  message: EventMessage;
  error: DomainError;
  times: number;
}

/**
 * One partition of one topic for one group: a bounded queue and the loop that empties it, one delivery at a time.
 * That loop is what keeps the order per key, over failures and changes of owner. A message that is to blame for its failures is
 * parked in the end; one that meets an outage waits at the head until that is over.
 */
export interface Lane {
  isFull(): boolean;
  /** Resolves when there may be room. */
  room(): Promise<void>;
  push(message: EventMessage, receipt: Receipt): void;
  /** Looks for an owner again. */
  wake(): void;
  /** Ends the loop and forgets what is queued: nobody waits for it any longer. */
  close(): void;
}

interface Entry {
  message: EventMessage;
  receipt: Receipt;
}

export function createLane({ limits, owner, onFailedDelivery, onPostponed }: LaneOptions): Lane {
  const queue: Entry[] = [];
  let queuedBytes = 0;
  let waiting: (() => void)[] = [];
  let running = false;
  let closed = false;
  /** Messages at the head that are delivered one by one, because a delivery of them together failed. */
  let suspects = 0;
  let attempts = 0;
  /** Deliveries of the head that met an outage, since it was last delivered in vain for another reason. */
  let postponed = 0;
  let pause: { timer: NodeJS.Timeout; end(): void } | undefined;

  const isFull = (): boolean =>
    !closed && (queue.length >= limits.queueMaxMessages || queuedBytes >= limits.queueMaxBytes);

  function settle(count: number): void {
    for (const { message, receipt } of queue.splice(0, count)) {
      queuedBytes -= sizeOf(message);
      if (--receipt.remaining === 0) receipt.onSettled();
    }
    suspects = Math.max(0, suspects - count);
    attempts = 0;
    postponed = 0;
    if (!isFull()) admit();
  }

  function admit(): void {
    const admitted = waiting;
    waiting = [];
    for (const resolve of admitted) resolve();
  }

  async function run(): Promise<void> {
    for (;;) {
      const member = closed || queue.length === 0 ? undefined : owner();
      if (member === undefined) return;
      const count = suspects > 0 ? 1 : Math.min(limits.batchMaxMessages, queue.length);
      const messages = queue.slice(0, count).map(({ message }) => message);
      try {
        await member.deliver(messages);
      } catch (error) {
        if (closed) return;
        if (member.isLeaving()) continue;
        onFailedDelivery?.(count);
        if (count > 1) suspects = count;
        else await afterFailure(member, queue[0] as Entry, error);
        continue;
      }
      if (!closed) settle(count);
    }
  }

  async function afterFailure(member: LaneOwner, { message, receipt }: Entry, error: unknown): Promise<void> {
    if (isPassing(error)) {
      // An outage says nothing about the message: those behind it would meet the same, and nobody would have to replay any.
      postponed += 1;
      onPostponed?.({ message, error, times: postponed });
      return backOff(postponed, error.retryAfterMs);
    }
    attempts += 1;
    postponed = 0;
    if (attempts < limits.deliveryMaxAttempts) return backOff(attempts);
    try {
      await member.park(message, attempts, error, receipt.offset);
    } catch {
      // The place for poison is out of reach: the message is worth more than the pace of its partition.
      return backOff(attempts);
    }
    if (!closed) settle(1);
  }

  function backOff(times: number, atLeastMs = 0): Promise<void> {
    if (closed) return Promise.resolve();
    const growing = limits.redeliveryMinMs * 2 ** Math.min(times - 1, 30);
    const delay = Math.min(limits.redeliveryMaxMs, Math.max(atLeastMs, growing));
    return new Promise((resolve) => {
      const end = (): void => {
        pause = undefined;
        resolve();
      };
      pause = { timer: setTimeout(end, delay), end };
    });
  }

  function wake(): void {
    if (running || closed) return;
    running = true;
    void run().then(() => {
      running = false;
      // Something may have come between the loop's last look and now.
      if (!closed && queue.length > 0 && owner() !== undefined) wake();
    });
  }

  return {
    isFull,
    room: () => new Promise((resolve) => waiting.push(resolve)),
    push(message, receipt) {
      if (closed) return;
      receipt.remaining += 1;
      queue.push({ message, receipt });
      queuedBytes += sizeOf(message);
      wake();
    },
    wake,
    close() {
      settle(queue.length);
      closed = true;
      admit();
      if (pause === undefined) return;
      clearTimeout(pause.timer);
      pause.end();
    },
  };
}

function sizeOf({ key, value }: EventMessage): number {
  // Headers and bookkeeping of a message weigh about as much as this.
  return value.byteLength + key.length + 512;
}
