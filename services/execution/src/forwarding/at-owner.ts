import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import {
  type GetExecutionRequest,
  GetExecutionRequestSchema,
  type GetExecutionResponse,
  type WatchExecutionRequest,
  WatchExecutionRequestSchema,
  type WatchExecutionResponse,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { ownCallOf } from "@heddle/rpc";
import { executionNotFound } from "../domain/aggregate.ts";

/** What a handler asks the owner of an execution, wherever it is, to answer a call whose change is durable already. */
export interface AtOwner {
  /** The execution with its nodes. */
  describe(id: string, call: HandlerContext): Promise<Execution>;
  /** The execution without its nodes, as it is when it has ended or when the time is over. */
  waitForEnd(id: string, waitMs: number, call: HandlerContext): Promise<Execution>;
}

/** The methods as they are served: they go to the owner. */
export interface OwnerMethods {
  getExecution(request: GetExecutionRequest, call: HandlerContext): Promise<GetExecutionResponse>;
  watchExecution(request: WatchExecutionRequest, call: HandlerContext): AsyncIterable<WatchExecutionResponse>;
}

export function createAtOwner(methods: () => OwnerMethods): AtOwner {
  const describe: AtOwner["describe"] = async (executionId, call) => {
    const request = create(GetExecutionRequestSchema, { executionId });
    const { execution } = await methods().getExecution(request, ownCallOf(call));
    if (execution === undefined) throw executionNotFound(executionId);
    return execution;
  };

  return {
    describe,
    async waitForEnd(executionId, waitMs, call) {
      let execution = await describe(executionId, call);
      if (waitMs > 0 && execution.endedAt === undefined) {
        await watchToEnd(methods(), executionId, execution.lastSeq, waitMs, call);
        execution = await describe(executionId, call);
      }
      execution.nodes = [];
      return execution;
    },
  };
}

async function watchToEnd(
  { watchExecution }: OwnerMethods,
  executionId: string,
  afterSeq: bigint,
  waitMs: number,
  call: HandlerContext,
): Promise<void> {
  const over = AbortSignal.any([call.signal, AbortSignal.timeout(Math.ceil(waitMs))]);
  const request = create(WatchExecutionRequestSchema, { executionId, afterSeq });
  try {
    // Only the end of the stream matters: it is the end of the execution.
    for await (const _ of watchExecution(request, ownCallOf(call, over)));
  } catch (error) {
    if (!over.aborted) throw error;
    call.signal.throwIfAborted();
  }
}
