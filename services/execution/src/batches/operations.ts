import { DomainError, isPassing } from "@heddle/errors";
import type { BatchOperation } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import type { Outcome, TargetNeed } from "../store/batches.ts";
import { type BatchName, hasIncidentOf, resolveIncidents } from "./resolve-incidents.ts";

type Operation = BatchOperation["operation"];

/** Executions that have a need of the operation of this batch, as SQL over `executions`. */
export function needOf(batchId: string, operation: Operation): TargetNeed {
  switch (operation.case) {
    case "delete":
      return () => "ended_at is not null";
    case "rerun":
      return () => "status in (4, 5)";
    case "resume":
      return () => "status = 2";
    case "suspend":
      return () => "status = 1";
    case "resolveIncidents":
      return hasIncidentOf(batchId, operation.value);
    default:
      return () => "ended_at is null";
  }
}

/** What says that an execution has no need of the operation any more, by the time that it is its turn. */
const NEEDLESS: ReadonlySet<string> = new Set([
  "EXECUTION_FINISHED",
  "EXECUTION_NOT_SUSPENDED",
  "EXECUTION_NOT_FOUND",
  "INCIDENT_NOT_OPEN",
]);

/** Does it to one execution. May be repeated: it happens once. */
export async function applyTo(
  executions: RpcClient<typeof ExecutionService>,
  batch: BatchName,
  operation: Operation,
  executionId: string,
): Promise<Outcome> {
  try {
    await call(executions, batch, operation, executionId);
    return { executionId, result: "succeeded" };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    // Nobody could be asked: the target keeps its place, and is tried again.
    if (isPassing(error)) throw error;
    const { reason, message } = error;
    return NEEDLESS.has(reason)
      ? { executionId, result: "skipped" }
      : { executionId, result: "failed", reason, message };
  }
}

/** @throws DomainError one of NEEDLESS when there is nothing to do */
async function call(
  executions: RpcClient<typeof ExecutionService>,
  batch: BatchName,
  operation: Operation,
  executionId: string,
): Promise<void> {
  switch (operation.case) {
    case "cancel":
      await executions.cancelExecution({ executionId, reason: operation.value.reason });
      return;
    case "terminate":
      await executions.terminateExecution({ executionId, reason: operation.value.reason });
      return;
    case "signal": {
      const { name, key, payload } = operation.value;
      await executions.signalExecution({ executionId, name, key, payload, requestId: `batch/${batch.id}` });
      return;
    }
    case "suspend":
      await executions.suspendExecution({ executionId, reason: operation.value.reason });
      return;
    case "resume":
      await executions.resumeExecution({ executionId, reason: operation.value.reason });
      return;
    case "delete":
      await executions.deleteExecution({ executionId });
      return;
    case "resolveIncidents":
      return await resolveIncidents(executions, batch, operation.value, executionId);
    case "rerun": {
      const { fromFailed, version } = operation.value;
      await executions.rerunExecution({ executionId, fromFailed, version, requestId: `batch/${batch.id}` });
      return;
    }
    default:
      throw new DomainError({
        kind: "invalid_argument",
        reason: "REQUEST_INVALID",
        message: "the batch has no operation",
      });
  }
}
