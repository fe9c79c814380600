export { createEventEncoder, writeEnvelope } from "./event-encoder.ts";
export {
  beginMessage,
  numberSize,
  stringSize,
  takeMessage,
  varintSize,
  writeNumber,
  writeString,
  writeText,
  writeVarint,
} from "./proto-writer.ts";
export { createActiveVersionTableSql, findActiveVersion } from "./active-versions.ts";
export { checkInput, checkInputSize, checkPayload, findSchemaFaults } from "./check-input.ts";
export {
  compareReplay,
  type ExpectedState,
  type HistorySource,
  type ReplayComparison,
} from "./diagnostics/compare-replay.ts";
export { type HistoryRange, readHistoryRanges } from "./diagnostics/read-history-ranges.ts";
export { type PartitionRow, readPartitions } from "./diagnostics/read-partitions.ts";
export { summarizeParked } from "./diagnostics/summarize-parked.ts";
export { findPayload } from "./find-payload.ts";
export { type FollowDefinitionsOptions, followDefinitions } from "./follow-definitions.ts";
export { takePage } from "./history-page.ts";
export { createHub, type Hub } from "./hub.ts";
export { registerJournalMetrics } from "./journal-metrics.ts";
export { claimPayloadBytes, maxInputBytes, requestIdMemoryMs } from "./limits.ts";
export {
  createPayloadReader,
  createPayloadWriter,
  objectOf,
  type PayloadReader,
  type PayloadWriter,
  readFailure,
  staysInline,
} from "./payload-codec.ts";
export { createPauses, type Pauses } from "./pauses.ts";
export { createPlanLoader, type PlanLoader } from "./plan-loader.ts";
export { createPlanTableSql, findPlan, savePlan } from "./plan-store.ts";
export { createPlans, type LoadedPlans, type PlanKey, type Plans, type ResolvedPlan } from "./plans.ts";
export { createRequestPayloadReader } from "./request-payload.ts";
export { createRequestIds, type RequestIds } from "./request-ids.ts";
export { refuseTaken, type StartKey, startOnce } from "./start-once.ts";
export { tellAll, type TellAllOptions } from "./tell-all.ts";
export { watchHistory } from "./watch-history.ts";
