import type { Execution } from "./execution.ts";

/** The execution whose result was asked for has none: it failed, or was canceled. */
export class ExecutionFailedError extends Error {
  readonly execution: Execution;

  constructor(execution: Execution) {
    const { executionId, workflowId, status, failure } = execution;
    const why =
      failure === undefined
        ? ""
        : `: ${failure.message} (${failure.type}${failure.nodeId && ` in node ${failure.nodeId}`})`;
    super(`execution ${executionId} of ${workflowId} ${status === "canceled" ? "was canceled" : "failed"}${why}`);
    this.name = "ExecutionFailedError";
    this.execution = execution;
  }
}
