import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatusSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import {
  ExecutionService,
  FinishedKeyPolicySchema,
  RunningKeyPolicySchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { DomainError } from "@heddle/errors";
import { createRpcClient } from "@heddle/rpc";
import type { Json, JsonObject } from "../json.ts";
import { DEFAULT_CALL_TIMEOUT_MS, PAGE_SIZE, START_WAIT_MAX_MS } from "../limits.ts";
import { type AttributeFilter, attributeFilter } from "./attribute-filter.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import {
  isFinished,
  plainExecution,
  type Execution,
  type ExecutionStatus,
  type SearchAttributes,
} from "./execution.ts";
import { plainDryRun, type DryRun } from "./dry-run.ts";
import { targetFields, type ExecutionTarget, type TargetFields } from "./execution-target.ts";
import { ExecutionFailedError } from "./execution-failed-error.ts";
import { plainEvent, type ExecutionEvent } from "./execution-event.ts";
import {
  type Incident,
  type IncidentFilter,
  incidentFilterMessage,
  type IncidentResolution,
  plainIncident,
  resolutionMessage,
} from "./incident.ts";
import { eachItem, type Page } from "./pages.ts";
import { ExecutionUpdateError } from "./execution-update-error.ts";
import { enumValue, plainFailure, plainPayload, plainValue, type PayloadReference } from "./plain.ts";
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
  /** Business key: at most one execution with it runs in the namespace. */
  workflowKey?: string;
  /** What becomes of this start when one with the key runs. Default `reject`: ALREADY_EXISTS with `WORKFLOW_KEY_RUNNING`. */
  whenRunning?: "reject" | "use_existing" | "cancel_existing" | "terminate_existing";
  /** The same when the latest one has ended. Default `allow`; otherwise ALREADY_EXISTS with `WORKFLOW_KEY_USED`. */
  whenFinished?: "allow" | "allow_if_failed" | "reject";
  /** What it is found by: at most 32. */
  searchAttributes?: SearchAttributes;
  /** 0 (first) to 9 (last); default: the workflow's. */
  priority?: number;
  /**
   * Comes with the start: the new execution has it from its first moment. With `workflowKey` and `whenRunning` absent or `use_existing`, one
   * that runs gets it in place of a start.
   */
  signal?: StartSignal;
}

export interface StartSignal {
  name: string;
  /** What it is about: only waits with this key take it. */
  key?: string;
  /** Default: null. */
  payload?: Json;
  /** Default: made of the start's. */
  requestId?: string;
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
  workflowKey?: string;
  /** All of them must hold. */
  attributes?: readonly AttributeFilter[];
  /** Only those with a node that has failed and waits for a person. */
  hasIncidents?: boolean;
}

/** Where an `ExecutionTarget` is taken, a business key in place of an id is exact; `EXECUTION_NOT_FOUND` when no execution with it could take the call. */
export interface ExecutionsClient {
  /** Answers once the start is durable; with `waitMs` once the execution has ended or the wait is over. @throws DomainError `DEFINITION_NOT_FOUND`, `INPUT_INVALID`, ... */
  start(request: StartRequest, options?: CallOptions): Promise<Execution>;
  /** Never older than the last acknowledged change; by a business key the latest, live or ended. @throws DomainError `EXECUTION_NOT_FOUND` */
  get(target: ExecutionTarget, options?: CallOptions): Promise<Execution>;
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
  cancel(target: ExecutionTarget, reason?: string, options?: CallOptions): Promise<Execution>;
  /** Nodes that have failed and wait for a person, over all executions, those that wait longest first; at most 200 ms behind. */
  incidents(filter?: IncidentFilter, options?: CallOptions): AsyncGenerator<Incident, void, undefined>;
  /**
   * Says how to go on with a node that has failed and waits for a person. `openedAt`: only the incident that was opened then.
   * @throws DomainError `INCIDENT_NOT_OPEN`
   */
  resolveIncident(
    executionId: string,
    nodeId: string,
    resolution: IncidentResolution,
    options?: CallOptions & { reason?: string; openedAt?: Date },
  ): Promise<Execution>;
  /** Ends it and its children at once: nothing is undone, and `finally` does not run. */
  terminate(target: ExecutionTarget, reason?: string, options?: CallOptions): Promise<Execution>;
  /** Starts a new execution that runs this one again, and keeps the results of all other nodes. @throws DomainError `NODE_UNKNOWN`, `NOTHING_TO_RERUN`, ... */
  rerun(executionId: string, request?: RerunRequest, options?: CallOptions): Promise<Execution>;
  /** Begins nodes afresh in the execution itself, with everything after them. @throws DomainError `EXECUTION_FINISHED`, `NODE_UNKNOWN` */
  reset(
    executionId: string,
    from: readonly string[],
    options?: CallOptions & { reason?: string; requestId?: string },
  ): Promise<Execution>;
  /** What `rerun` would do: nothing is started. @throws DomainError as `rerun` */
  dryRunRerun(executionId: string, request?: Omit<RerunRequest, "requestId">, options?: CallOptions): Promise<DryRun>;
  /** What `reset` would do: nothing changes. @throws DomainError as `reset` */
  dryRunReset(executionId: string, from: readonly string[], options?: CallOptions): Promise<DryRun>;
  suspend(target: ExecutionTarget, reason?: string, options?: CallOptions): Promise<Execution>;
  /** Deletes an execution that has ended, with its history. @throws DomainError `EXECUTION_NOT_FINISHED`, `EXECUTION_NOT_FOUND` */
  delete(executionId: string, options?: CallOptions): Promise<void>;
  /** @throws DomainError `EXECUTION_NOT_SUSPENDED` */
  resume(target: ExecutionTarget, reason?: string, options?: CallOptions): Promise<Execution>;
  /** The signal is kept until a node waits for its name and key. `key`: what it is about, at most 255 characters. */
  signal(
    target: ExecutionTarget,
    name: string,
    payload?: Json,
    options?: CallOptions & { key?: string; requestId?: string },
  ): Promise<Execution>;
  /**
   * Asks the execution to change, as its definition declares under `updates`, and waits for the reply: up to `waitMs`, at most 10 minutes,
   * else as long as the call. The request id makes repetitions safe, this call's own included.
   * @throws ExecutionUpdateError when it was accepted and has no reply: the node that it waited for has failed, or the execution has ended, or
   * the wait was over first
   * @throws DomainError `UPDATE_REJECTED`, `UPDATE_UNKNOWN`, `INPUT_INVALID`, ...: nothing has changed
   */
  update(
    target: ExecutionTarget,
    name: string,
    payload?: Json,
    options?: CallOptions & { requestId?: string; waitMs?: number },
  ): Promise<Json>;
  /**
   * Tells an event to all executions of the namespace that wait for it, as an `emit` action would: who knows what has happened need not know who waits.
   * It counts for an hour for executions that have started before it. @returns how many nodes were told
   */
  emit(name: string, payload?: Json, options?: CallOptions & { key?: string; requestId?: string }): Promise<number>;
  /** Asks the execution something: what its definition declares under `queries`, or `input`, `vars`, `nodes`, `waits`, `signals`. @throws DomainError `QUERY_UNKNOWN`, `QUERY_FAILED` */
  query(target: ExecutionTarget, name: string, args?: Json, options?: CallOptions): Promise<Json>;
  /** The value that a reference in an event stands for. @throws DomainError `PAYLOAD_NOT_FOUND` */
  payload(reference: PayloadReference, options?: CallOptions): Promise<Json>;
}

/** Where a rerun begins, and in what it differs. Without `from`, `failed` and `changed` it begins at the start, and keeps nothing. */
export interface RerunRequest {
  /** Nodes to run again, with everything after them. */
  from?: readonly string[];
  /** What has failed runs again; maps keep the items that had succeeded. */
  failed?: boolean;
  /** What reads a field of the input that differs runs again. */
  changed?: boolean;
  /** Absent: the same. */
  input?: JsonObject;
  /** Absent: the same. */
  version?: number;
  /** Unique among the reruns of the execution; absent: another rerun with each call. */
  requestId?: string;
}

function rerunFields(executionId: string, { from = [], failed, changed, input, version }: RerunRequest) {
  return { executionId, fromNodeIds: [...from], fromFailed: failed, fromChanged: changed, input, version };
}

export function createExecutionsClient({ transport, namespace, call }: ClientContext): ExecutionsClient {
  const rpc = createRpcClient(ExecutionService, transport);

  const of = (target: ExecutionTarget): TargetFields => targetFields(namespace, target);

  async function get(target: ExecutionTarget, options?: CallOptions): Promise<Execution> {
    const { execution } = await call((attempt) => rpc.getExecution(of(target), attempt), options);
    return plainExecution(present(execution));
  }

  async function listPage(
    filter: Parameters<ExecutionsClient["listPage"]>[0] = {},
    options?: CallOptions,
  ): Promise<Page<Execution>> {
    const { workflowId, status, labels, startedAfter, startedBefore, parentExecutionId, workflowKey, hasIncidents } =
      filter;
    const request = {
      namespace,
      workflowId,
      status: status === undefined ? 0 : enumValue(ExecutionStatusSchema, status),
      labels,
      startedAfter: startedAfter && timestampFromDate(startedAfter),
      startedBefore: startedBefore && timestampFromDate(startedBefore),
      parentExecutionId,
      workflowKey,
      attributes: filter.attributes?.map(attributeFilter),
      hasIncidents,
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
    async start({ waitMs = 0, whenRunning, whenFinished, signal, ...request }, options = {}) {
      const waitTime = Math.min(waitMs, START_WAIT_MAX_MS);
      const full = {
        ...request,
        namespace,
        requestId: request.requestId ?? randomUUID(),
        ...(whenRunning && { whenRunning: enumValue(RunningKeyPolicySchema, whenRunning) }),
        ...(whenFinished && { whenFinished: enumValue(FinishedKeyPolicySchema, whenFinished) }),
        ...(signal && { signal: { ...signal, payload: fromJson(ValueSchema, signal.payload ?? null) } }),
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
    async cancel(target, reason = "", options) {
      const answer = await call((attempt) => rpc.cancelExecution({ ...of(target), reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async delete(executionId, options) {
      await call((attempt) => rpc.deleteExecution({ executionId }, attempt), options);
    },
    async rerun(executionId, { requestId = randomUUID(), ...rerun } = {}, options) {
      const request = { ...rerunFields(executionId, rerun), requestId };
      const answer = await call((attempt) => rpc.rerunExecution(request, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async reset(executionId, from, { reason = "", requestId = randomUUID(), ...options } = {}) {
      const request = { executionId, fromNodeIds: [...from], reason, requestId };
      const answer = await call((attempt) => rpc.resetExecution(request, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async dryRunRerun(executionId, rerun = {}, options) {
      const request = { ...rerunFields(executionId, rerun), dryRun: true };
      return plainDryRun(present((await call((attempt) => rpc.rerunExecution(request, attempt), options)).dryRun));
    },
    async dryRunReset(executionId, from, options) {
      const request = { executionId, fromNodeIds: [...from], dryRun: true };
      return plainDryRun(present((await call((attempt) => rpc.resetExecution(request, attempt), options)).dryRun));
    },
    incidents: (filter = {}, options) =>
      eachItem(async (pageToken) => {
        const request = { ...incidentFilterMessage(filter), namespace, pageSize: PAGE_SIZE, pageToken };
        const { incidents, nextPageToken } = await call((attempt) => rpc.listIncidents(request, attempt), options);
        return { items: incidents.map(plainIncident), nextPageToken };
      }),
    async resolveIncident(executionId, nodeId, resolution, { reason = "", openedAt, ...options } = {}) {
      const request = {
        executionId,
        nodeId,
        resolution: resolutionMessage(resolution),
        reason,
        openedAt: openedAt && timestampFromDate(openedAt),
      };
      const answer = await call((attempt) => rpc.resolveIncident(request, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async terminate(target, reason = "", options) {
      const answer = await call((attempt) => rpc.terminateExecution({ ...of(target), reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async suspend(target, reason = "", options) {
      const answer = await call((attempt) => rpc.suspendExecution({ ...of(target), reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async resume(target, reason = "", options) {
      const answer = await call((attempt) => rpc.resumeExecution({ ...of(target), reason }, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async signal(target, name, payload = null, { key, requestId = randomUUID(), ...options } = {}) {
      const request = { ...of(target), name, key, payload: fromJson(ValueSchema, payload), requestId };
      const answer = await call((attempt) => rpc.signalExecution(request, attempt), options);
      return plainExecution(present(answer.execution));
    },
    async update(target, name, payload = null, { requestId = randomUUID(), waitMs, ...options } = {}) {
      const wait = waitMs === undefined ? undefined : durationFromMs(waitMs);
      const request = { ...of(target), name, payload: fromJson(ValueSchema, payload), requestId, wait };
      const { executionId, reply, failure } = await call((attempt) => rpc.updateExecution(request, attempt), options);
      if (reply !== undefined) return plainValue(reply);
      throw new ExecutionUpdateError({ executionId, name, requestId, failure: failure && plainFailure(failure) });
    },
    async emit(name, payload = null, { key, requestId = randomUUID(), ...options } = {}) {
      const request = { namespace, name, key, payload: fromJson(ValueSchema, payload), requestId };
      return (await call((attempt) => rpc.publishEvent(request, attempt), options)).told;
    },
    async query(target, name, args = null, options) {
      const request = { ...of(target), name, args: fromJson(ValueSchema, args) };
      const { output } = await call((attempt) => rpc.queryExecution(request, attempt), options);
      return plainValue(present(output));
    },
    async payload({ digest }, options) {
      const { payload } = await call((attempt) => rpc.getPayload({ digest }, attempt), options);
      return plainPayload(present(payload)) as Json;
    },
  };
}
