export type { Check, CheckOptions } from "./checks/check.ts";
export { CHECKS, runCheck } from "./checks/index.ts";
export { findDifference } from "./difference.ts";
export { executionOfTask, partitionOfId } from "./execution-id.ts";
export type * from "./facts.ts";
export type { CheckResult, Finding } from "./finding.ts";
export {
  createOutboxCheck,
  type OutboxCheck,
  type OutboxOptions,
  type OutboxResult,
  type PublishedEvent,
} from "./outbox.ts";
export { createSample } from "./sample.ts";
