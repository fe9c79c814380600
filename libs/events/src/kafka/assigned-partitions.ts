import type { KafkaMessage } from "kafkajs";
import { createLane, type Lane, type LaneOwner, type Postponement } from "../lane.ts";
import type { BusLimits } from "../limits.ts";
import type { Member } from "../member.ts";
import { fromKafkaMessage } from "./kafka-message.ts";

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What one fetch brought of one partition. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly fetchedOffset: number;
  /** The offset to ask for next. */
  readonly nextOffset: number;
  /** Offset behind the last message of the partition. */
  readonly endOffset: number;
  readonly messages: readonly KafkaMessage[];
}

export type Acceptance =
  | { readonly kind: "taken"; readonly lane: Lane }
  /** It does not continue what was taken before: fetch from here. */
  | { readonly kind: "gap"; readonly offset: number }
  /** The partition is another member's. */
  | { readonly kind: "foreign" };

/**
 * The partitions that one member of a group owns, each with the lane that empties it. Knows how far each is: taken into
 * the lane, handled, committed. kafkajs's own count is not relied on: around a rebalance it can skip a batch.
 */
export interface AssignedPartitions {
  /**
   * A generation of the group begins. Gives the partitions that the member had before, with the offset to go on from,
   * and those that are new. Under another member id it cannot know who had them in between, so all are new.
   */
  assign(memberId: string, topics: Readonly<Record<string, readonly number[]>>): AssignmentChange;
  accept(batch: FetchedBatch): Acceptance;
  /** Lets a new partition begin here, instead of where the group's offsets say. */
  begin(offset: PartitionOffset): void;
  /** What is handled and not committed. */
  uncommitted(): PartitionOffset[];
  noteCommitted(offsets: readonly PartitionOffset[]): void;
  /** For partitions of which nothing was fetched yet, `committed` says how far the group is. */
  noteEnds(topic: string, ends: ReadonlyMap<number, number>, committed: ReadonlyMap<number, number>): void;
  lags(): Iterable<{ topic: string; partition: number; lag: number }>;
  /** Gives up all of them: what completes from now on counts for nothing. */
  release(): void;
}

export interface AssignmentChange {
  readonly kept: readonly PartitionOffset[];
  readonly added: readonly { topic: string; partition: number }[];
}

export interface AssignedPartitionsOptions {
  member: Member;
  limits: BusLimits;
  /** Messages were handled: there is something to commit. */
  onHandled(): void;
  onFailedDelivery(topic: string, messages: number): void;
  /** A message met an outage, so many times in a row, and waits. */
  onPostponed(topic: string, partition: number, postponement: Postponement): void;
  /** Messages are not there any more, or were never for consumers. */
  onSkipped(topic: string, partition: number, from: number, to: number): void;
}

interface Assigned {
  readonly topic: string;
  readonly partition: number;
  readonly lane: Lane;
  revoked: boolean;
  /** Next offset to take in. Unknown until the first batch: the group's offsets say it. */
  position: number | undefined;
  handled: number | undefined;
  committed: number | undefined;
  end: number;
  /** Where the lane stood when a batch beyond it came for the first time. */
  gapAt: number | undefined;
}

export function createAssignedPartitions(options: AssignedPartitionsOptions): AssignedPartitions {
  const { member, limits, onHandled, onFailedDelivery, onPostponed, onSkipped } = options;
  let assigned = new Map<string, Assigned>();
  let currentMemberId: string | undefined;
  /** The last delivery of each partition, which may outlive the time in which the partition was ours. */
  const lastDelivery = new Map<string, Promise<void>>();

  function take(topic: string, partition: number): Assigned {
    const owner = oneAtATime(member.ownerOf(topic, partition), keyOf(topic, partition), () => isOurs());
    const lane = createLane({
      limits,
      owner: () => (isOurs() ? owner : undefined),
      onFailedDelivery: (messages) => onFailedDelivery(topic, messages),
      onPostponed: (postponement) => onPostponed(topic, partition, postponement),
    });
    const taken: Assigned = {
      topic,
      partition,
      lane,
      revoked: false,
      position: undefined,
      handled: undefined,
      committed: undefined,
      end: 0,
      gapAt: undefined,
    };
    const isOurs = (): boolean => !taken.revoked && !member.isLeaving();
    return taken;
  }

  /** A handler that still runs from when the partition was ours before goes first. */
  function oneAtATime(owner: LaneOwner, key: string, isOurs: () => boolean): LaneOwner {
    return {
      ...owner,
      deliver(messages) {
        const before = lastDelivery.get(key);
        const delivery = (async () => {
          await before;
          if (!isOurs()) throw new Error("the partition was revoked before its turn");
          await owner.deliver(messages);
        })();
        lastDelivery.set(key, delivery.catch(ignore));
        return delivery;
      },
    };
  }

  function revoke(part: Assigned): void {
    // First: closing the lane settles what it forgets, and none of that was handled.
    part.revoked = true;
    part.lane.close();
  }

  function push(part: Assigned, message: KafkaMessage, next: number): void {
    part.lane.push(fromKafkaMessage(part.topic, message), {
      remaining: 0,
      offset: Number(message.offset),
      onSettled() {
        if (part.revoked) return;
        part.handled = next;
        onHandled();
      },
    });
  }

  return {
    assign(memberId, topics) {
      if (memberId !== currentMemberId) this.release();
      currentMemberId = memberId;
      const before = assigned;
      assigned = new Map();
      const kept: PartitionOffset[] = [];
      const added: { topic: string; partition: number }[] = [];
      for (const [topic, partitions] of Object.entries(topics)) {
        for (const partition of partitions) {
          const key = keyOf(topic, partition);
          const part = before.get(key) ?? take(topic, partition);
          if (!before.delete(key)) added.push({ topic, partition });
          else if (part.position !== undefined) kept.push({ topic, partition, offset: part.position });
          assigned.set(key, part);
        }
      }
      for (const part of before.values()) revoke(part);
      return { kept, added };
    },
    accept({ topic, partition, fetchedOffset, nextOffset, endOffset, messages }) {
      const part = assigned.get(keyOf(topic, partition));
      if (part === undefined) return { kind: "foreign" };
      part.end = Math.max(part.end, endOffset);
      part.position ??= fetchedOffset;
      if (fetchedOffset > part.position) {
        if (part.gapAt !== part.position) {
          part.gapAt = part.position;
          return { kind: "gap", offset: part.position };
        }
        // Asked for again, the broker has none of them.
        onSkipped(topic, partition, part.position, fetchedOffset);
        part.position = fetchedOffset;
      }
      part.gapAt = undefined;
      for (const [index, message] of messages.entries()) {
        const offset = Number(message.offset);
        // Also behind the last one may stand what is not for consumers, as marks of transactions.
        if (offset >= part.position) push(part, message, index === messages.length - 1 ? nextOffset : offset + 1);
      }
      part.position = Math.max(part.position, nextOffset);
      return { kind: "taken", lane: part.lane };
    },
    begin({ topic, partition, offset }) {
      const part = assigned.get(keyOf(topic, partition));
      if (part === undefined || part.position !== undefined) return;
      part.position = offset;
      part.handled = offset;
      onHandled();
    },
    uncommitted() {
      const offsets: PartitionOffset[] = [];
      for (const { topic, partition, handled, committed } of assigned.values())
        if (handled !== undefined && handled !== committed) offsets.push({ topic, partition, offset: handled });
      return offsets;
    },
    noteCommitted(offsets) {
      for (const { topic, partition, offset } of offsets) {
        const part = assigned.get(keyOf(topic, partition));
        if (part !== undefined) part.committed = offset;
      }
    },
    noteEnds(topic, ends, committed) {
      for (const [partition, end] of ends) {
        const part = assigned.get(keyOf(topic, partition));
        if (part === undefined) continue;
        part.end = Math.max(part.end, end);
        part.committed ??= committed.get(partition);
      }
    },
    *lags() {
      for (const { topic, partition, handled, committed, end } of assigned.values())
        yield { topic, partition, lag: Math.max(0, end - (handled ?? committed ?? 0)) };
    },
    release() {
      for (const part of assigned.values()) revoke(part);
      assigned = new Map();
      currentMemberId = undefined;
    },
  };
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

function ignore(): void {}
