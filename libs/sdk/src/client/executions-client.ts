import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatusSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { DomainError } from "@heddle/errors";
import { createRpcClient } from "@heddle/rpc";
import type { Json, JsonObject } from "../json.ts";
import { DEFAULT_CALL_TIMEOUT_MS, PAGE_SIZE, START_WAIT_MAX_MS } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import { isFinished, plainExecution, type Execution, type ExecutionStatus } from "./execution.ts";
import { ExecutionFailedError } from "./execution-failed-error.ts";
import { plainEvent, type ExecutionEvent } from "./execution-event.ts";
import { eachItem, type Page } from "./pages.ts";
import { enumValue, plainPayload, type PayloadReference } from "./plain.ts";
import { present } from "./present.ts";
import { watchExecution, type WatchOptions } from "./watch.ts";

export interface StartRequest {
  workflowId: string;
  /** Default: an empty object. */
  input?: JsonObject;
  /** The same key gives the same execution, however often it is sent. Default: a fresh one, which makes this call's own repetitions safe. */
  requestId?: string;
  /** How long the server waits for the end before it answers, milliseconds, at most 10 minutes; default 0. */
  waitMs?: number;
  /** Default: the active version. */
  version?: number;
  labels?: Record<string, string>;
  /** 0 (first) to 9 (last); default: the workflow's. */
  priority?: number;
}

export interface ExecutionFilter {
  workflowId?: string;
  status?: ExecutionStatus;
  /** All of them must be there. */
  labels?: Record<string, string>;
  /** Started then or later. */
  startedAfter?: Date;
  startedBefore?: Date;
  /** Only children of this execution. */
  parentExecutionId?: string;
}

export interface ExecutionsClient {
  /** Answers once the start is durable; with `waitMs` once the execution has ended or the wait is over. @throws DomainError `DEFINITION_NOT_FOUND`, `INPUT_INVALID`, ... */
  start(request: StartRequest, options?: CallOptions): Promise<Execution>;
  /** Never older than the last acknowledged change. @throws DomainError `EXECUTION_NOT_FOUND` */
  get(executionId: string, options?: CallOptions): Promise<Execution>;
  /** Newest first, without inputs, outputs and nodes. */
  list(filter?: ExecutionFilter, options?: CallOptions): AsyncGenerator<Execution, void, undefined>;
  listPage(
    filter?: ExecutionFilter & { pageSize?: number; pageToken?: string },
    options?: CallOptions,
  ): Promise<Page<Execution>>;
  /** All events so far, in order. */
  history(executionId: string, options?: CallOptions): AsyncGenerator<ExecutionEvent, void, undefined>;
  /** All events so far, and those to come, to the end of the execution; comes back by itself when the stream breaks. */
  watch(executionId: string, options?: WatchOptions): AsyncGenerator<ExecutionEvent, void, undefined>;
  /** Waits until the execution has ended, however it ended, across outages of the server. Without `timeoutMs` it waits as long as it takes. */
  wait(executionId: string, options?: CallOptions): Promise<Execution>;
  /** Waits like `wait` and gives the output. @throws ExecutionFailedError when the execution failed or was canceled */
  result(executionId: string, options?: CallOptions): Promise<Json>;
  /** @throws DomainError `EXECUTION_FINISHED` when it ended otherwise before */
  cancel(executionId: string, reason?: string, options?: CallOptions): Promise<Execution>;
  /** Ends it and its children at once: nothing is undone, and `finally` does not run. */
  terminate(executionId: string, reason?: string, options?: CallOptions): Promise<Execution>;
  suspend(executionId: string, reason?: string, options?: CallOptions): Promise<Execution>;
  /** @throws DomainError `EXECUTION_NOT_SUSPENDED` */
  resume(executionId: string, reason?: string, options?: CallOptions): Promise<Execution>;
  /** The signal is kept until a node waits for its name and key. `key`: what it is about, at most 255 characters. */
  signal(
    executionId: string,
    name: string,
    payload?: Json,
    options?: CallOptions & { key?: string; requestId?: string },
  ): Promise<Execution>;
  /** The value that a reference in an event stands for. @throws DomainError `PAYLOAD_NOT_FOUND` */
  payload(reference: PayloadReference, options?: CallOptions): Promise<Json>;
}

export function createExecutionsClient({ transport, namespace, call }: ClientContext): ExecutionsClient {
  const rpc = createRpcClient(ExecutionService, transport);

  async function get(executionId: string, options?: CallOptions): Promise<Execution> {
    const { execution } = await call((attempt) => rpc.getExecution({ executionId }, attempt), options);
    return plainExecution(present(execution));
  }

  async function listPage(
    filter: Parameters<ExecutionsClient["listPage"]>[0] = {},
    options?: CallOptions,
  ): Promise<Page<Execution>> {
    const { workflowId, status, labels, startedAfter, startedBefore, parentExecutionId } = filter;
    const request = {
      namespace,
      workflowId,
      status: status === undefined ? 0 : enumValue(ExecutionStatusSchema, status),
      labels,
      startedAfter: startedAfter && timestampFromDate(startedAfter),
      startedBefore: startedBefore && timestampFromDate(startedBefore),
      parentExecutionId,
      pageSize: filter.pageSize ?? PAGE_SIZE,
      pageToken: filter.pageToken ?? "",
    };
    const { executions, nextPageToken } = await call((attempt) => rpc.listExecutions(request, attempt), options);
    return { items: executions.map(plainExecution), nextPageToken };
  }

  async function wait(executionId: string, { timeoutMs, signal }: CallOptions = {}): Promise<Execution> {
    const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const until = AbortSignal.any([signal, limit].filter((each) => each !== undefined));
    try {
      const now = await get(executionId, { signal: until, timeoutMs });
      if (isFinished(now)) return now;
      // The events themselves do not matter here: the stream ends when the execution does.
      for await (const _event of watchExecution(rpc, executionId, { afterSeq: now.lastSeq, signal: until }));
      return await get(executionId, { signal: until });
    } catch (cause) {
      if (limit?.aborted !== true) throw cause;
      throw new DomainError({
        kind: "deadline_exceeded",
        reason: "DEADLINE_EXCEEDED",
        message: `execution ${executionId} had not ended after ${timeoutMs} ms; it goes on, and can be waited for again`,
        cause,
      });
    }
  }

  return {
    async start({ waitMs = 0, ...request }, options = {}) {
      const waitTime = Math.min(waitMs, START_WAIT_MAX_MS);
      const full = {
        ...request,
        namespace,
        requestId: request.requestId ?? randomUUID(),
        ...(waitTime > 0 && { wait: durationFromMs(waitTime) }),
      };
      const timeoutMs = options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS + waitTime;
      const { execution } = await call((attempt) => rpc.startExecution(full, attempt), { ...options, timeoutMs });
      return plainExecution(present(execution));
    },
    get,
    list: (filter, options) => eachItem((pageToken) => listPage({ ...filter, pageToken }, options)),
    listPage,
    history: (executionId, options) =>
      eachItem(async (pageToken) => {
        const request = { executionId, pageSize: PAGE_SIZE, pageToken };
        const { events, nextPageToken } = await call((attempt) => rpc.listHistory(request, attempt), options);
        return { items: events.map(plainEvent), nextPageToken };
      }),
    watch: (executionId, options = {}) => watchExecution(rpc, executionId, options),
    wait,
    async result(executionId, options) {
      const execution = await wait(executionId, options);
      if (execution.status !== "completed") throw new ExecutionFailedError(execution);
      return execution.output ?? null;
    },
    async cancel(executionId, reason = "", options) {
      const answer = await call((attempt) => rpc.cancelExecution({ executionId, reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async terminate(executionId, reason = "", options) {
      const answer = await call((attempt) => rpc.terminateExecution({ executionId, reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async suspend(executionId, reason = "", options) {
      const answer = await call((attempt) => rpc.suspendExecution({ executionId, reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async resume(executionId, reason = "", options) {
      const answer = await call((attempt) => rpc.resumeExecution({ executionId, reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async signal(executionId, name, payload = null, { key, requestId = randomUUID(), ...options } = {}) {
      const request = { executionId, name, key, payload: fromJson(ValueSchema, payload), requestId };
      const answer = await call((attempt) => rpc.signalExecution(request, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async payload({ digest }, options) {
      const { payload } = await call((attempt) => rpc.getPayload({ digest }, attempt), options);
      return plainPayload(present(payload)) as Json;
    },
  };
}
