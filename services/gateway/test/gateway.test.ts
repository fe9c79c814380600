import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createGrpcWebTransport } from "@connectrpc/connect-node";
import { createClient } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import {
  ExecutionService,
  WatchExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type ConnectResponse, WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, expect, it } from "vitest";
import { type Edge, type Fakes, startEdge } from "./behind-the-edge.ts";

const ID = "018f3c4e-7b1a-7000-8000-000000000000";
const MIB = 1024 * 1024;

let edge: Edge | undefined;
afterEach(async () => {
  await edge?.close();
  edge = undefined;
});

async function start(fakes: Fakes): Promise<Edge> {
  edge = await startEdge(fakes);
  return edge;
}

it("passes a call on, with the caller's deadline, trace and credentials", async () => {
  const seen: Record<string, unknown> = {};
  const { transport } = await start({
    execution: {
      getExecution(request, context) {
        seen["id"] = request.executionId;
        seen["timeoutMs"] = context.timeoutMs();
        for (const name of ["authorization", "traceparent"]) seen[name] = context.requestHeader.get(name);
        return { execution: { executionId: request.executionId } };
      },
    },
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { execution } = await createRpcClient(ExecutionService, transport).getExecution(
    { executionId: ID },
    { timeoutMs: 5_000, headers: { authorization: "Bearer me", traceparent } },
  );
  expect(execution?.executionId).toBe(ID);
  expect(seen).toMatchObject({ id: ID, authorization: "Bearer me" });
  expect(seen["traceparent"]).toContain("0af7651916cd43dd8448eb211c80319c");
  expect(seen["timeoutMs"]).toBeLessThanOrEqual(5_000);
});

it("gives a start that names no deadline the ten minutes that it may wait", async () => {
  let timeoutMs = 0;
  const { url } = await start({
    execution: {
      startExecution(_, context) {
        timeoutMs = context.timeoutMs() ?? 0;
        return {};
      },
    },
  });
  const response = await fetch(`${url}/heddle.execution.v1.ExecutionService/StartExecution`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflowId: "hello" }),
  });
  expect(response.status).toBe(200);
  expect(timeoutMs).toBeGreaterThan(500_000);
});

it("never starts two for one call: a start that had no request_id is repeated with one", async () => {
  const seen: string[] = [];
  const { transport } = await start({
    execution: {
      startExecution({ requestId }) {
        seen.push(requestId);
        // As when the answer is lost: nobody knows whether it has begun.
        if (seen.length === 1) throw new DomainError({ kind: "unavailable", reason: "GONE", message: "no answer" });
        return {};
      },
    },
  });
  const client = createRpcClient(ExecutionService, transport);
  await client.startExecution({ workflowId: "hello" });
  await client.startExecution({ workflowId: "hello" });
  await client.startExecution({ workflowId: "hello", requestId: "mine" });
  expect(seen).toEqual([seen[1], expect.stringMatching(/^edge-.{36}$/), expect.stringMatching(/^edge-.{36}$/), "mine"]);
  expect(seen[2]).not.toBe(seen[1]);
});

it("brings errors through unchanged, with reason, metadata, violations and the time to wait", async () => {
  const { transport } = await start({
    execution: {
      cancelExecution() {
        throw new DomainError({
          kind: "resource_exhausted",
          reason: "OVERLOADED",
          message: "100% full: wait — a little",
          metadata: { queue: "a" },
          violations: [{ field: "a.b", description: "is too much" }],
          retryAfterMs: 1_500,
        });
      },
    },
  });
  const client = createRpcClient(ExecutionService, transport);
  await expect(client.cancelExecution({ executionId: ID })).rejects.toMatchObject({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: "100% full: wait — a little",
    metadata: { queue: "a" },
    violations: [{ field: "a.b", description: "is too much" }],
    retryAfterMs: 1_500,
  });
  // What breaks a rule of the proto is refused by the service that answers, not here.
  await expect(client.getExecution({ executionId: "odd" })).rejects.toMatchObject({
    reason: "REQUEST_INVALID",
    violations: [{ field: "execution_id" }],
  });
});

it("keeps the reference under which a service has logged its own defect", async () => {
  const { url } = await start({
    execution: {
      getExecution() {
        throw new TypeError("a secret");
      },
    },
  });
  const response = await fetch(`${url}/heddle.execution.v1.ExecutionService/GetExecution`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ executionId: ID }),
  });
  const { code, message } = (await response.json()) as { code: string; message: string };
  expect(code).toBe("internal");
  expect(message).toMatch(/reference [0-9a-f]{12}/);
  expect(message).not.toContain("a secret");
});

it("speaks gRPC-Web", async () => {
  const { url } = await start({ definition: { getPlan: ({ workflowId }) => ({ planJson: workflowId }) } });
  const transport = createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" });
  expect(await createClient(DefinitionService, transport).getPlan({ workflowId: "hello" })).toMatchObject({
    planJson: "hello",
  });
});

it("passes streams message by message, and their errors", async () => {
  const { transport } = await start({
    execution: {
      async *watchExecution() {
        yield { events: [{ seq: 1n }] };
        yield { events: [{ seq: 2n }] };
        throw new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: "it is gone" });
      },
    },
  });
  const seen: bigint[] = [];
  const watching = (async () => {
    for await (const { events } of createRpcClient(ExecutionService, transport).watchExecution({ executionId: ID })) {
      seen.push(...events.map(({ seq }) => seq));
    }
  })();
  await expect(watching).rejects.toMatchObject({ reason: "EXECUTION_NOT_FOUND" });
  expect(seen).toEqual([1n, 2n]);
});

it("ends the stream behind when its reader leaves", async () => {
  const left = new EventTarget();
  const { transport } = await start({
    execution: {
      async *watchExecution(_, { signal }) {
        signal.addEventListener("abort", () => left.dispatchEvent(new Event("left")));
        yield {};
        await once(signal, "abort");
      },
    },
  });
  const hasLeft = once(left, "left");
  for await (const _ of createRpcClient(ExecutionService, transport).watchExecution({ executionId: ID })) break;
  await expect(hasLeft).resolves.toHaveLength(1);
});

it("reads a stream no faster than its reader does", async () => {
  // 120 MB in all; between two processes the windows of HTTP/2 and some buffers may fill.
  const MESSAGES = 120;
  const message = create(WatchExecutionResponseSchema, {
    events: [{ seq: 1n, executionId: "x".repeat(MIB) }],
  });
  let sent = 0;
  const { transport } = await start({
    execution: {
      async *watchExecution() {
        for (; sent < MESSAGES; sent++) yield message;
      },
    },
  });
  const reader = createRpcClient(ExecutionService, transport)
    .watchExecution({ executionId: ID })
    [Symbol.asyncIterator]();
  await reader.next();
  // Until nothing moves any more.
  for (let before = -1; before !== sent; ) {
    before = sent;
    await sleep(300);
  }
  expect(sent).toBeLessThan(MESSAGES / 2);
  let read = 1;
  while ((await reader.next()).done !== true) read++;
  expect(read).toBe(MESSAGES);
});

it("passes a worker's stream in both directions", async () => {
  const { transport } = await start({
    worker: {
      async *connect(requests) {
        for await (const { frame } of requests) {
          if (frame.case === "results")
            yield { frame: { case: "acknowledge" as const, value: { upToFrame: frame.value.frame } } };
        }
      },
    },
  });
  const answers: ConnectResponse[] = [];
  await new Promise<void>((resolve, reject) => {
    const stream = transport.openStream(WorkerService.method.connect, {
      onMessage(answer) {
        answers.push(answer);
        if (answers.length === 1_000) stream.close();
      },
      onEnd: (error) => (error === undefined ? resolve() : reject(error)),
    });
    for (let frame = 1n; frame <= 1_000n; frame++) stream.send({ frame: { case: "results", value: { frame } } });
  });
  expect(answers.map(({ frame }) => frame.case === "acknowledge" && frame.value.upToFrame)).toEqual(
    Array.from({ length: 1_000 }, (_, index) => BigInt(index + 1)),
  );
});

it("says which service is away, and serves the others", async () => {
  const { transport, backends } = await start({ definition: { getPlan: () => ({ version: 7 }) } });
  await backends.execution.close({ drainMs: 0 });
  await expect(createRpcClient(ExecutionService, transport).getExecution({ executionId: ID })).rejects.toMatchObject({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    metadata: { service: "execution" },
    message: expect.stringContaining("the execution service cannot be reached"),
  });
  const watching = createRpcClient(ExecutionService, transport).watchExecution({ executionId: ID });
  await expect(watching[Symbol.asyncIterator]().next()).rejects.toMatchObject({ metadata: { service: "execution" } });
  expect(await createRpcClient(DefinitionService, transport).getPlan({ workflowId: "a" })).toMatchObject({
    version: 7,
  });
});

it("takes large payloads up to the limit of a message, and refuses larger ones", async () => {
  const { transport } = await start({
    execution: {
      getPayload: ({ digest }) => ({
        payload: { form: { case: "json" as const, value: "x".repeat(digest.startsWith("a") ? 15 * MIB : 17 * MIB) } },
      }),
    },
  });
  const executions = createRpcClient(ExecutionService, transport);
  const { payload } = await executions.getPayload({ digest: "a".repeat(64) });
  expect(payload?.form.value).toHaveLength(15 * MIB);
  await expect(executions.getPayload({ digest: "b".repeat(64) })).rejects.toMatchObject({ kind: "resource_exhausted" });
  await expect(executions.getPayload({ digest: "c".repeat(17 * MIB) })).rejects.toMatchObject({
    kind: "resource_exhausted",
  });
});
