import type { DeliveryContext, SubscribeOptions } from "./event-bus.ts";
import { createLane, type Lane, type LaneOwner } from "./lane.ts";
import type { BusLimits } from "./limits.ts";
import { partitionOfKey } from "./partitioner.ts";

/** The members of one group on the memory bus, and one lane per partition of every topic that any member ever asked for. */
export interface ConsumerGroup {
  /** Gives the way to leave, which waits for the member's deliveries under way. */
  join(options: SubscribeOptions): () => Promise<void>;
  hasMembers(): boolean;
  hasTopic(topic: string): boolean;
  /** Undefined when the group does not want the topic. */
  findLane(topic: string, key: string): Lane | undefined;
  close(): Promise<void>;
}

interface Member {
  readonly options: SubscribeOptions;
  readonly abort: AbortController;
  /** Calls of the handler and of parkPoison. */
  readonly underWay: Set<Promise<void>>;
}

export function createConsumerGroup(group: string, partitions: number, limits: BusLimits): ConsumerGroup {
  const lanes = new Map<string, Lane[]>();
  let members: Member[] = [];

  /** Partitions go round the members that want the topic, in the order in which they joined. */
  function findOwner(topic: string, partition: number): Member | undefined {
    const interested = members.filter(({ options }) => options.topics.includes(topic));
    return interested[partition % interested.length];
  }

  function ownerOf(topic: string, partition: number): LaneOwner | undefined {
    const member = findOwner(topic, partition);
    if (member === undefined) return undefined;
    const { options, abort, underWay } = member;
    const context: DeliveryContext = { group, topic, partition, signal: abort.signal };
    const track = (work: Promise<void>): Promise<void> => {
      const settled = work.then(ignore, ignore).finally(() => underWay.delete(settled));
      underWay.add(settled);
      return work;
    };
    return {
      // Either may throw before its first await: async makes that a failure like any other.
      deliver: (messages) => track((async () => options.handler(messages, context))()),
      park: (message, attempts, error) =>
        track((async () => options.parkPoison({ group, message, partition, attempts, error }))()),
      isLeaving: () => abort.signal.aborted,
    };
  }

  function createTopicLanes(topic: string): Lane[] {
    return Array.from({ length: partitions }, (_, partition) =>
      createLane({ limits, owner: () => ownerOf(topic, partition) }),
    );
  }

  async function leave(member: Member): Promise<void> {
    members = members.filter((other) => other !== member);
    member.abort.abort();
    await Promise.all(member.underWay);
  }

  return {
    join(options) {
      for (const topic of options.topics) if (!lanes.has(topic)) lanes.set(topic, createTopicLanes(topic));
      const member: Member = { options, abort: new AbortController(), underWay: new Set() };
      members.push(member);
      for (const topicLanes of lanes.values()) for (const lane of topicLanes) lane.wake();
      return () => leave(member);
    },
    hasMembers: () => members.length > 0,
    hasTopic: (topic) => lanes.has(topic),
    findLane: (topic, key) => lanes.get(topic)?.[partitionOfKey(key, partitions)],
    async close() {
      for (const topicLanes of lanes.values()) for (const lane of topicLanes) lane.close();
      await Promise.all(members.map(leave));
    },
  };
}

function ignore(): void {}
