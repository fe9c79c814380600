import type { JsonObject } from "@heddle/expression";
import { DomainError, isFinal } from "@heddle/errors";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createRpcClient, type RpcTransport } from "@heddle/rpc";

export interface StartRequest {
  namespace: string;
  workflowId: string;
  input: JsonObject;
  requestId: string;
  labels: Record<string, string>;
}

/** What execution made of a call. `later`: it did not say, or asked to come back. */
export type StartOutcome =
  | { kind: "taken"; executionId: string }
  | { kind: "refused"; why: string }
  | { kind: "later"; atLeastMs: number };

/** The calls to execution that schedules and triggers make; all may be made again. */
export interface Executions {
  start(request: StartRequest): Promise<StartOutcome>;
  /** @returns whether it has ended, by this or in another way; undefined when nobody knows yet. */
  cancel(executionId: string, reason: string): Promise<boolean | undefined>;
  /** @returns whether it has ended; undefined when nobody knows yet. */
  hasEnded(executionId: string): Promise<boolean | undefined>;
  /** undefined: there is no such execution. @throws when nobody knows yet */
  find(executionId: string): Promise<Execution | undefined>;
}

export function createExecutions(transport: RpcTransport, timeoutMs: number): Executions {
  const client = createRpcClient(ExecutionService, transport);
  const options = { timeoutMs };

  const find = async (executionId: string): Promise<Execution | undefined> => {
    try {
      return (await client.getExecution({ executionId }, options)).execution;
    } catch (error) {
      if (isReason(error, "EXECUTION_NOT_FOUND")) return undefined;
      throw error;
    }
  };

  return {
    find,
    async start(request) {
      try {
        const { execution } = await client.startExecution(request, options);
        if (execution === undefined) throw new Error("execution answered a start without an execution");
        return { kind: "taken", executionId: execution.executionId };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    async cancel(executionId, reason) {
      try {
        await client.cancelExecution({ executionId, reason }, options);
        return true;
      } catch (error) {
        return isReason(error, "EXECUTION_FINISHED") || isReason(error, "EXECUTION_NOT_FOUND") ? true : undefined;
      }
    },
    async hasEnded(executionId) {
      try {
        const execution = await find(executionId);
        return execution === undefined || isEnded(execution.status);
      } catch {
        return undefined;
      }
    },
  };
}

function isEnded(status: ExecutionStatus): boolean {
  return status !== ExecutionStatus.RUNNING && status !== ExecutionStatus.SUSPENDED;
}

function isReason(error: unknown, reason: string): boolean {
  return error instanceof DomainError && error.reason === reason;
}

function outcomeOf(error: unknown): StartOutcome {
  if (!(error instanceof DomainError)) return { kind: "later", atLeastMs: 0 };
  // The start was made before its schedule was changed, and its answer was lost.
  const before = error.reason === "REQUEST_ID_REUSED" ? error.metadata["execution_id"] : undefined;
  if (before !== undefined) return { kind: "taken", executionId: before };
  return isFinal(error)
    ? { kind: "refused", why: `${error.reason}: ${error.message}` }
    : { kind: "later", atLeastMs: error.retryAfterMs ?? 0 };
}
