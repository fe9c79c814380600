import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { expect, it } from "vitest";
import { EXIT } from "./exit-codes.ts";
import { exitCodeOfBatch } from "./report-result.ts";

it.each([
  [BatchStatus.COMPLETED, 0n, EXIT.ok],
  [BatchStatus.COMPLETED, 1n, EXIT.workflowFailed],
  [BatchStatus.PAUSED, 0n, EXIT.workflowFailed],
  [BatchStatus.STOPPED, 3n, EXIT.workflowFailed],
  [BatchStatus.CANCELED, 0n, EXIT.refused],
])("a batch of status %s with %s failures ends the command with %s", (status, failed, code) => {
  expect(exitCodeOfBatch({ status, failed })).toBe(code);
});
