import type { SubscribeOptions } from "./event-bus.ts";
import { createLane, type Lane, type Postponement } from "./lane.ts";
import type { BusLimits } from "./limits.ts";
import { createMember, type Member } from "./member.ts";
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

export function createConsumerGroup(
  partitions: number,
  limits: BusLimits,
  onPostponed: (topic: string, partition: number, postponement: Postponement) => void,
): ConsumerGroup {
  const lanes = new Map<string, Lane[]>();
  let members: Member[] = [];

  /** Partitions go round the members that want the topic, in the order in which they joined. */
  function findOwner(topic: string, partition: number): Member | undefined {
    const interested = members.filter(({ options }) => options.topics.includes(topic));
    return interested[partition % interested.length];
  }

  function createTopicLanes(topic: string): Lane[] {
    return Array.from({ length: partitions }, (_, partition) =>
      createLane({
        limits,
        owner: () => findOwner(topic, partition)?.ownerOf(topic, partition),
        onPostponed: (postponement) => onPostponed(topic, partition, postponement),
      }),
    );
  }

  async function leave(member: Member): Promise<void> {
    members = members.filter((other) => other !== member);
    await member.leave();
  }

  return {
    join(options) {
      for (const topic of options.topics) if (!lanes.has(topic)) lanes.set(topic, createTopicLanes(topic));
      const member = createMember(options);
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
