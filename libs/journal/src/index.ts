export { awaitProjection, type AwaitProjectionOptions } from "./await-projection.ts";
export { childId, idBound, idFromBytes, idTime, idToBytes, isId, keyPartition, newId, partitionBits } from "./id.ts";
export { defaultLimits, defaultPublisherLimits, type JournalLimits, type PublisherLimits } from "./limits.ts";
export type {
  AggregateInspection,
  AggregateType,
  CommittedTurn,
  DecideContext,
  Decision,
  EncodedEvent,
  JournalEntry,
  JournalMetrics,
  JournalPage,
  JournalRecord,
  JournalRuntime,
  JournalRuntimeOptions,
  Loaded,
  Logger,
  OwnershipListener,
  PartitionInspection,
  PartitionLossReason,
  PayloadClaim,
  PayloadLookup,
  Projection,
  ProjectionChange,
  Publisher,
  PublisherOptions,
  Submission,
  SubmitOptions,
} from "./types.ts";
export { readHistoryTable, readHistoryTails, writeHistory } from "./history.ts";
export { journalMigrations } from "./migrations.ts";
export { claimPayload, loadPayloads } from "./payloads.ts";
export { createJournalRuntime } from "./runtime.ts";
export { removePublisher } from "./cursors.ts";
export { releasePayloads } from "./release-payloads.ts";
export { replay } from "./replay.ts";
export { createPublisher, type PublisherSource } from "./publisher.ts";
export { byteaArray } from "./pg-array.ts";
