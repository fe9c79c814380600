import { create, fromJson } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { DefinitionType, FindingSeverity } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import {
  SchedulerService,
  WaitReasonKind,
  WorkerStatus,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { expect, it, onTestFinished } from "vitest";
import { clientOf } from "../../test/client-of.ts";
import { createClient, ExecutionFailedError, PayloadReference } from "../index.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";

function unavailable(): DomainError {
  return new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
}

/** Event `seq` of an execution: a log line, or its end. */
function event(seq: number, last = false) {
  return create(ExecutionEventSchema, {
    executionId: ID,
    seq: BigInt(seq),
    occurredAt: timestampFromDate(new Date(1_700_000_000_000 + seq)),
    event: last
      ? { case: "executionCompleted", value: { output: { form: { case: "json", value: '{"n":1}' } } } }
      : { case: "logged", value: { nodeId: "a", level: "info", message: `line ${seq}` } },
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

it("starts once, however often it has to ask: with the same request id", async () => {
  const requestIds: string[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      startExecution({ namespace, workflowId, input, requestId, wait, priority, labels }) {
        requestIds.push(requestId);
        if (requestIds.length < 3) throw unavailable();
        expect({ namespace, workflowId, input, wait, priority, labels }).toMatchObject({
          namespace: "sales",
          workflowId: "hello",
          input: { name: "Ada", list: [1, null] },
          wait: { seconds: 2n, nanos: 500_000_000 },
          priority: 0,
          labels: { team: "a" },
        });
        return {
          created: false,
          execution: { executionId: ID, status: ExecutionStatus.RUNNING, input, lastSeq: 7n, requestId },
        };
      },
    }),
  );
  const execution = await client.start({
    workflowId: "hello",
    input: { name: "Ada", list: [1, null] },
    waitMs: 2_500,
    priority: 0,
    labels: { team: "a" },
  });
  expect(execution).toMatchObject({
    executionId: ID,
    status: "running",
    lastSeq: 7,
    input: { name: "Ada", list: [1, null] },
  });
  expect(requestIds.length).toBe(3);
  expect(new Set(requestIds)).toEqual(new Set([execution.requestId]));
  expect(execution.requestId.length).toBeGreaterThan(20);
});

it("passes on the caller's own request id, and waits when the server says how long", async () => {
  let calls = 0;
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      startExecution({ requestId }) {
        calls += 1;
        if (calls === 1) {
          throw new DomainError({ kind: "resource_exhausted", reason: "OVERLOADED", message: "busy", retryAfterMs: 5 });
        }
        return { created: true, execution: { executionId: ID, requestId } };
      },
    }),
  );
  expect((await client.start({ workflowId: "hello", requestId: "order-1" })).requestId).toBe("order-1");
  expect(calls).toBe(2);
});

it.each([
  ["NOT_FOUND", new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: "no such execution" })],
  [
    "a limit that no wait lifts",
    new DomainError({ kind: "resource_exhausted", reason: "TOO_LARGE", message: "too large" }),
  ],
])("does not repeat a call after %s", async (_name, error) => {
  let calls = 0;
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution() {
        calls += 1;
        throw error;
      },
    }),
  );
  await expect(client.get(ID)).rejects.toMatchObject({ reason: error.reason, kind: error.kind });
  expect(calls).toBe(1);
});

it("gives up when the time of the call is over, with the error of the last attempt", async () => {
  let calls = 0;
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution() {
        calls += 1;
        throw unavailable();
      },
    }),
  );
  await expect(client.get(ID, { timeoutMs: 1_000 })).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  expect(calls).toBeGreaterThan(1);
});

it("says what to do when nothing answers", async () => {
  const client = createClient({ address: "http://127.0.0.1:1" });
  onTestFinished(() => client.close());
  await expect(client.get(ID, { timeoutMs: 1_000 })).rejects.toMatchObject({
    kind: "unavailable",
    message:
      "no Heddle server answers at http://127.0.0.1:1: start one with `heddle dev`, or say where it is with HEDDLE_ADDRESS",
  });
});

it("gives an execution as plain data", async () => {
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution: () => ({
        execution: {
          executionId: ID,
          status: ExecutionStatus.FAILED,
          output: fromJson(ValueSchema, [1, { a: null }]),
          failure: { type: "timeout", message: "too slow", nodeId: "b", retryAfterMs: 3n, nonRetryable: true },
          parent: { executionId: "p", nodeId: "n" },
          startedAt: timestampFromDate(new Date("2026-01-02T03:04:05.006Z")),
          nodes: [{ nodeId: "b", status: NodeStatus.BACKING_OFF, attempt: 2, input: fromJson(ValueSchema, { q: 1 }) }],
        },
      }),
    }),
  );
  const execution = await client.get(ID);
  expect(execution).toMatchObject({
    status: "failed",
    output: [1, { a: null }],
    failure: { type: "timeout", message: "too slow", retryable: false, retryAfterMs: 3, nodeId: "b" },
    parent: { executionId: "p", nodeId: "n" },
    startedAt: new Date("2026-01-02T03:04:05.006Z"),
    nodes: [{ nodeId: "b", status: "backing_off", attempt: 2, input: { q: 1 } }],
  });
  expect(execution.endedAt).toBeUndefined();
  expect(JSON.stringify(execution)).not.toContain("$typeName");
});

it("walks through the pages of a list, with the filters in every request", async () => {
  const tokens: string[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      listExecutions({ status, workflowId, pageToken, startedAfter }) {
        expect({ status, workflowId }).toEqual({ status: ExecutionStatus.SUSPENDED, workflowId: "hello" });
        expect(startedAfter?.seconds).toBe(1_767_225_600n);
        tokens.push(pageToken);
        const page = tokens.length;
        return {
          executions: [{ executionId: `${page}a` }, { executionId: `${page}b` }],
          nextPageToken: page < 3 ? `t${page}` : "",
        };
      },
    }),
  );
  const filter = { status: "suspended", workflowId: "hello", startedAfter: new Date("2026-01-01T00:00:00Z") } as const;
  const ids = (await collect(client.list(filter))).map(({ executionId }) => executionId);
  expect(ids).toEqual(["1a", "1b", "2a", "2b", "3a", "3b"]);
  expect(tokens).toEqual(["", "t1", "t2"]);
  await expect(client.listPage({ status: "sleeping" as never })).rejects.toThrow(
    '"sleeping" is none of running, suspended, completed, failed, canceled',
  );
});

it("tells events as plain data of their type", async () => {
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      listHistory: () => ({
        events: [
          create(ExecutionEventSchema, {
            executionId: ID,
            seq: 1n,
            occurredAt: timestampFromDate(new Date(5)),
            event: {
              case: "taskCompleted",
              value: {
                nodeId: "a",
                attempt: 2,
                output: { form: { case: "json", value: "[1]" } },
                startedAtMs: 9n,
                worker: "w",
              },
            },
          }),
          create(ExecutionEventSchema, {
            seq: 2n,
            event: {
              case: "nodeFailed",
              value: { nodeId: "a", failure: { type: "boom", message: "it broke" } },
            },
          }),
          create(ExecutionEventSchema, {
            seq: 3n,
            event: {
              case: "nodeCompleted",
              value: {
                output: { form: { case: "reference", value: { digest: "ab", sizeBytes: 70_000n } } },
                chosen: ["x"],
              },
            },
          }),
          create(ExecutionEventSchema, { seq: 4n }),
        ],
      }),
      getPayload: ({ digest }) => ({ payload: { form: { case: "json", value: JSON.stringify({ digest }) } } }),
    }),
  );
  const [completed, failed, large, unknown] = await collect(client.history(ID));
  expect(completed).toEqual({
    executionId: ID,
    seq: 1,
    occurredAt: new Date(5),
    type: "task_completed",
    nodeId: "a",
    attempt: 2,
    output: [1],
    startedAtMs: 9,
    worker: "w",
  });
  expect(failed).toMatchObject({ type: "node_failed", failure: { type: "boom", retryable: true } });
  expect(unknown).toMatchObject({ seq: 4, type: "unknown" });
  if (large?.type !== "node_completed") throw new Error("the type says what the fields are");
  expect(large.chosen).toEqual(["x"]);
  const reference = large.output;
  if (!(reference instanceof PayloadReference)) throw new Error("a large value comes as a reference");
  expect(reference).toMatchObject({ digest: "ab", sizeBytes: 70_000 });
  await expect(client.payload(new PayloadReference("c".repeat(64), 70_000))).resolves.toEqual({
    digest: "c".repeat(64),
  });
});

it("watches across broken streams: no event twice, none missing", async () => {
  const after: bigint[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      async *watchExecution({ afterSeq }) {
        after.push(afterSeq);
        if (after.length === 1) {
          yield { events: [event(1), event(2)] };
          yield { events: [event(3)] };
          throw unavailable();
        }
        if (after.length === 2) throw unavailable();
        // A server that repeats itself does not confuse the client.
        yield { events: [event(3), event(4), event(5, true)] };
      },
    }),
  );
  const events = await collect(client.watch(ID));
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(after).toEqual([0n, 3n, 3n]);
  expect(events.at(-1)).toMatchObject({ type: "execution_completed", output: { n: 1 } });
});

it("stops watching when the outage is too long, and when the caller leaves", async () => {
  let left = false;
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      async *watchExecution({ afterSeq }, { signal }) {
        if (afterSeq === 9n) throw unavailable();
        const gone = new Promise((resolve) => signal.addEventListener("abort", resolve));
        void gone.then(() => (left = true));
        yield { events: [event(1)] };
        await gone;
      },
    }),
  );
  await expect(collect(client.watch(ID, { afterSeq: 9, outageMaxMs: 100 }))).rejects.toMatchObject({
    reason: "SHUTTING_DOWN",
  });
  for await (const { seq } of client.watch(ID)) {
    expect(seq).toBe(1);
    break;
  }
  await expect.poll(() => left).toBe(true);
});

it("waits for the result across an outage, and fails as the execution did", async () => {
  let ended = false;
  let watches = 0;
  let status: ExecutionStatus = ExecutionStatus.COMPLETED;
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution: ({ executionId }) => ({
        execution: ended
          ? {
              executionId,
              workflowId: "hello",
              status,
              output: fromJson(ValueSchema, { n: 1 }),
              failure: { type: "boom", message: "it broke", nodeId: "b" },
            }
          : { executionId, status: ExecutionStatus.RUNNING, lastSeq: 3n },
      }),
      async *watchExecution({ afterSeq }) {
        watches += 1;
        expect(afterSeq).toBe(3n);
        if (watches === 1) throw unavailable();
        ended = true;
        yield { events: [event(4, true)] };
      },
    }),
  );
  await expect(client.result(ID)).resolves.toEqual({ n: 1 });
  expect(watches).toBe(2);
  status = ExecutionStatus.FAILED;
  const failed = client.result(ID);
  await expect(failed).rejects.toThrow(ExecutionFailedError);
  await expect(failed).rejects.toThrow(`execution ${ID} of hello failed: it broke (boom in node b)`);
});

it("stops waiting at the caller's timeout", async () => {
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      getExecution: ({ executionId }) => ({ execution: { executionId, status: ExecutionStatus.RUNNING } }),
      async *watchExecution(_request, { signal }) {
        yield { events: [] };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    }),
  );
  await expect(client.wait(ID, { timeoutMs: 30 })).rejects.toMatchObject({ kind: "deadline_exceeded" });
});

it("cancels, terminates, suspends, resumes and signals", async () => {
  const seen: unknown[] = [];
  const answerTo = (...what: unknown[]) => {
    seen.push(what);
    return { execution: { executionId: ID, status: ExecutionStatus.CANCELED } };
  };
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      cancelExecution: ({ reason }) => answerTo("cancel", reason),
      terminateExecution: ({ reason }) => answerTo("terminate", reason),
      suspendExecution: ({ reason }) => answerTo("suspend", reason),
      resumeExecution: ({ reason }) => answerTo("resume", reason),
      signalExecution: ({ name, payload, requestId }) =>
        answerTo("signal", name, payload?.kind.case, requestId.length > 20),
    }),
  );
  expect((await client.cancel(ID, "not needed")).status).toBe("canceled");
  await client.terminate(ID, "at once");
  await client.suspend(ID, "a pause");
  await client.resume(ID);
  await client.signal(ID, "approved", { by: "Ada" });
  await client.signal(ID, "ping");
  expect(seen).toEqual([
    ["cancel", "not needed"],
    ["terminate", "at once"],
    ["suspend", "a pause"],
    ["resume", ""],
    ["signal", "approved", "structValue", true],
    ["signal", "ping", "nullValue", true],
  ]);
});

it("runs an execution again, and resets nodes, once however often the call is repeated", async () => {
  const seen: unknown[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      rerunExecution({ fromNodeIds, fromFailed, input, version, requestId }) {
        seen.push(["rerun", fromNodeIds, fromFailed, input, version, requestId.length > 20]);
        return { execution: { executionId: ID, status: ExecutionStatus.RUNNING }, created: true };
      },
      resetExecution({ fromNodeIds, reason, requestId }) {
        seen.push(["reset", fromNodeIds, reason, requestId]);
        return { execution: { executionId: ID, status: ExecutionStatus.RUNNING } };
      },
    }),
  );
  expect((await client.rerun(ID, { failed: true })).status).toBe("running");
  await client.rerun(ID, { from: ["a"], input: { n: 2 }, version: 3 });
  await client.reset(ID, ["a", "b"], { reason: "why", requestId: "r" });
  expect(seen).toEqual([
    ["rerun", [], true, undefined, 0, true],
    ["rerun", ["a"], false, { n: 2 }, 3, true],
    ["reset", ["a", "b"], "why", "r"],
  ]);
});

it("publishes, validates and lists definitions", async () => {
  const definition = { workflowId: "hello", type: DefinitionType.DAG, activeVersion: 2, latestVersion: 2 };
  const finding = {
    ruleId: "HD012",
    rule: "dangling",
    severity: FindingSeverity.ERROR,
    line: 3,
    column: 7,
    message: "no",
  };
  const summary = { nodeCount: 2, criticalPathLength: 2, parallelGroups: [{ nodeIds: ["a"] }, { nodeIds: ["b"] }] };
  const client = clientOf((router) =>
    router.service(DefinitionService, {
      publishDefinition: ({ namespace, source, fileName, skipActivation }) => {
        expect({ namespace, source, fileName, skipActivation }).toEqual({
          namespace: "sales",
          source: "workflow:",
          fileName: "w.yaml",
          skipActivation: true,
        });
        return { definition, version: { version: 2, digest: "ab", summary }, created: true };
      },
      validateDefinition: () => ({ valid: false, findings: [finding] }),
      getDefinition: ({ version }) => ({ definition, version: { version, source: "workflow:" } }),
      listDefinitions: ({ type, search }) => ({ definitions: [{ ...definition, name: `${type}${search}` }] }),
      listDefinitionVersions: () => ({ versions: [{ version: 2 }, { version: 1 }] }),
      activateDefinitionVersion: ({ version }) => ({ definition: { ...definition, activeVersion: version } }),
      deleteDefinition: () => ({}),
    }),
  );
  const published = await client.publish({ source: "workflow:", fileName: "w.yaml", skipActivation: true });
  expect(published).toMatchObject({
    created: true,
    definition: { workflowId: "hello", type: "dag", activeVersion: 2 },
    version: { version: 2, summary: { nodeCount: 2, parallelGroups: [["a"], ["b"]] } },
  });
  expect(await client.validate({ source: "workflow:" })).toMatchObject({
    valid: false,
    findings: [{ ruleId: "HD012", severity: "error", line: 3, column: 7 }],
  });
  expect((await client.getDefinition("hello", 1)).version).toMatchObject({ version: 1, source: "workflow:" });
  expect(await collect(client.listDefinitions({ type: "dag", search: "he" }))).toMatchObject([{ name: "1he" }]);
  expect((await collect(client.listVersions("hello"))).map(({ version }) => version)).toEqual([2, 1]);
  expect((await client.activateVersion("hello", 1)).activeVersion).toBe(1);
  await expect(client.deleteDefinition("hello")).resolves.toBeUndefined();
});

it("says who works, what waits and why", async () => {
  const client = clientOf((router) =>
    router.service(SchedulerService, {
      listWorkers: ({ namespace }) => ({
        workers: [{ workerId: "w", namespace, status: WorkerStatus.DRAINING, completed: 5n, capabilities: ["tool:a"] }],
      }),
      describeQueue: ({ type, name }) => ({ queues: [{ type, name, waiting: 3n, freeSlots: 2n }] }),
      explainWait: ({ taskId }) => ({
        taskId,
        rank: 4n,
        reasons: [{ kind: WaitReasonKind.NO_WORKER, message: "no worker offers tool:a" }],
      }),
    }),
  );
  expect(await collect(client.listWorkers())).toMatchObject([{ workerId: "w", status: "draining", completed: 5 }]);
  expect(await client.describeQueue({ type: "agent", name: "a" })).toMatchObject([
    { type: "agent", name: "a", waiting: 3, freeSlots: 2 },
  ]);
  expect(await client.explainWait("a/b/1")).toEqual({
    taskId: "a/b/1",
    running: false,
    rank: 4,
    reasons: [{ kind: "no_worker", message: "no worker offers tool:a" }],
  });
});
