import type { Message, PartitionerArgs } from "kafkajs";

export interface MessagesToGroup {
  topic: string;
  partitionMetadata: PartitionerArgs["partitionMetadata"];
  messages: readonly Message[];
  partitioner(args: PartitionerArgs): number;
}

/** Messages by partition, in order. The same as kafkajs gives, which copies all of a partition for each message. */
export function groupByPartition(given: MessagesToGroup): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = given;
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    const group = groups[partition];
    if (group === undefined) groups[partition] = [message];
    else group.push(message);
  }
  return groups;
}
