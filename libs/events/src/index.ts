export type { KafkaSecurity } from "./kafka/kafka-security.ts";
export { type CloudEventJson, toCloudEventJson } from "./cloud-event-json.ts";
export { createDedupingConsumer, type DedupingConsumerOptions } from "./deduping-consumer.ts";
export type {
  DeliveryContext,
  EventBus,
  EventHandler,
  ParkPoison,
  PoisonMessage,
  SubscribeOptions,
  Subscription,
} from "./event-bus.ts";
export {
  createEventMessage,
  createRawEventMessage,
  type EventAttributes,
  type EventHeaders,
  type EventMessage,
  findSourcePosition,
  type SourcePosition,
} from "./event-message.ts";
export { createFileSink, type FileSink, type FileSinkOptions } from "./file-sink.ts";
export {
  createJournalForwarder,
  type EventSink,
  type ForwardedEntry,
  type ForwardedRecord,
  type JournalForwarderOptions,
} from "./journal-forwarder.ts";
export { type ConsumerLagOptions, listConsumerLag, type PartitionLag } from "./kafka/consumer-lag.ts";
export { createKafkaBus, type KafkaBusOptions } from "./kafka/kafka-bus.ts";
export { readTopic, type ReadPartition, type ReadTopicOptions } from "./kafka/read-topic.ts";
export type { TopicConfig } from "./kafka/topic-config.ts";
export { parseTopics, readTopicsFile } from "./kafka/topics-file.ts";
export { type BusLimits, defaultBusLimits, defaultKafkaBusLimits, type KafkaBusLimits } from "./limits.ts";
export { createMemoryBus, type MemoryBusOptions } from "./memory-bus.ts";
export { createMemoryPositionStore, type MemoryTransaction } from "./memory-position-store.ts";
export { parkWithoutPrefix, prefixTopics } from "./topic-prefix.ts";
export { partitionOfKey } from "./partitioner.ts";
export { createOneofPeek, type EventCase, type PeekedCase, peekTexts } from "./peek-oneof.ts";
export type { Mark, PositionKey, PositionStore } from "./position-store.ts";
export {
  createPoisonTableSql,
  createSqlPoisonStore,
  dropPoisonTableSql,
  type ParkedMessage,
  type ParkedSummary,
  type PoisonFilter,
  type PoisonKey,
  type PoisonStore,
  type SqlPoisonStoreOptions,
} from "./sql-poison-store.ts";
export {
  createPositionTableSql,
  createSqlPositionStore,
  dropPositionTableSql,
  type PositionQueryable,
  type SqlPositionStoreOptions,
} from "./sql-position-store.ts";
export { subscribeParking, type SubscribeParkingOptions } from "./subscribe-parking.ts";
