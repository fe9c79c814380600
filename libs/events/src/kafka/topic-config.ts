/** How a topic is made where it is missing. One that exists is used as it is. */
export interface TopicConfig {
  /** Full name of the protobuf message. */
  readonly name: string;
  /** 1 to 1024. Fixed in effect: with another number keys move to other partitions, and their order is lost on the way. */
  readonly partitions: number;
  /** Copies of each partition, on as many brokers. */
  readonly replicationFactor: number;
  /** Milliseconds after which messages may be deleted; -1 for never. */
  readonly retentionMs: number;
  /** Further settings of the topic, by Kafka's names. */
  readonly config?: Readonly<Record<string, string>>;
}
