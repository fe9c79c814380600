import type { Failure } from "./plain.ts";

export interface UpdateWithoutReply {
  executionId: string;
  name: string;
  /** The same update again with this id waits on, or gives the same failure. */
  requestId: string;
  /** Why there will be no reply; absent: it was not there yet when the wait was over. */
  failure?: Failure;
}

/** An update was accepted, and its effect is durable, but there is no reply. */
export class ExecutionUpdateError extends Error {
  readonly update: UpdateWithoutReply;

  constructor(update: UpdateWithoutReply) {
    const { executionId, name, failure } = update;
    const why = failure === undefined ? "is not answered yet" : `was not answered: ${failure.type}: ${failure.message}`;
    super(`update ${name} of execution ${executionId} ${why}`);
    this.name = "ExecutionUpdateError";
    this.update = update;
  }
}
