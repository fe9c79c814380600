import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { TaskSchema, TaskType, type TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { WorkerService as WorkerRpc, type ConnectResponse } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createInMemoryTransport, createPushable } from "@heddle/rpc";
import type { Json, JsonObject } from "@heddle/sdk";
import { createLogger } from "@heddle/telemetry";
import { afterEach, expect, it } from "vitest";
import { workerConfig } from "../src/config.ts";
import { createWorkerService, type CreateWorkerServiceOptions } from "../src/index.ts";

const logger = createLogger({ name: "test", level: "silent" });
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "heddle-worker-"));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

interface Job {
  type?: TaskType;
  name: string;
  input?: unknown;
  agent?: JsonObject;
}

/** Runs jobs on a worker whose scheduler does nothing but hand them over; gives capabilities and results in order. */
async function runJobs(jobs: Job[], options: Partial<CreateWorkerServiceOptions> = {}) {
  const tasks = jobs.map(({ type = TaskType.AGENT, name, input = {}, agent }, index) =>
    create(TaskSchema, {
      taskId: `execution/node-${index}/1`,
      type,
      name,
      input: { form: { case: "json", value: JSON.stringify(input) } },
      ...(agent && { agent: { form: { case: "json", value: JSON.stringify(agent) } } }),
      fencingToken: 1n,
    }),
  );
  const results = new Map<string, TaskResult>();
  const capabilities: string[] = [];
  const transport = createInMemoryTransport({
    logger,
    routes: (router) =>
      router.service(WorkerRpc, {
        async *connect(requests, { signal }) {
          const out = createPushable<ConnectResponse["frame"]>({ signal });
          const read = async () => {
            for await (const { frame } of requests) {
              if (frame.case === "hello") {
                capabilities.push(...frame.value.capabilities.map(({ type, name }) => `${TaskType[type]}:${name}`));
                out.push({
                  case: "welcome",
                  value: {
                    $typeName: "heddle.worker.v1.WorkerWelcome",
                    leaseDurationMs: 15_000n,
                    heartbeatIntervalMs: 5_000n,
                    droppedTaskIds: [],
                  },
                });
                out.push({ case: "tasks", value: { $typeName: "heddle.worker.v1.WorkerTasks", tasks } });
              } else if (frame.case === "results") {
                for (const result of frame.value.results) results.set(result.taskId, result);
                const upToFrame = frame.value.frame;
                out.push({
                  case: "acknowledge",
                  value: { $typeName: "heddle.worker.v1.WorkerAcknowledge", upToFrame },
                });
              }
            }
          };
          read().then(
            () => out.end(),
            (error: Error) => out.fail(error),
          );
          for await (const frame of out) yield { frame };
        },
      }),
  });
  cleanups.push(() => transport.close());
  const worker = createWorkerService({ transport, logger, config: workerConfig.parse({}), ...options });
  cleanups.push(() => worker.stop());
  await worker.start();
  await expect.poll(() => results.size, { timeout: 10_000 }).toBe(jobs.length);
  const ended = tasks.map(({ taskId }) => {
    const { output, failure } = results.get(taskId) as TaskResult;
    return failure ?? (JSON.parse(output?.form.value as string) as JsonObject);
  });
  return { capabilities, ended, worker };
}

it("offers its tools, the operator's agents, and every agent that a definition describes", async () => {
  const folder = directory();
  const agentsFile = join(folder, "agents.yaml");
  const scriptFile = join(folder, "script.yaml");
  writeFileSync(agentsFile, "agents:\n  - { id: triage, provider: scripted, prompt: 'Ticket ${text}' }\n");
  writeFileSync(
    scriptFile,
    "agents:\n  triage:\n    - { contains: ticket help, reply: 'from the file for ${input.text}' }\n",
  );
  const described = { provider: "scripted", script: [{ reply: { score: 3 } }], output_schema: { type: "object" } };
  const { capabilities, ended, worker } = await runJobs(
    [
      { name: "triage", input: { text: "help" } },
      { name: "scorer", agent: described },
      { name: "triage", agent: { provider: "scripted", script: [{ reply: "from the definition" }] } },
      { name: "nobody" },
      { type: TaskType.TOOL, name: "transform", input: { value: [3, 1, 2], sort_by: "item" } },
      { type: TaskType.TOOL, name: "http", input: { url: "http://169.254.169.254/" } },
      { type: TaskType.TOOL, name: "http_request", input: { uri: "http://example.com" } },
      { type: TaskType.TOOL, name: "shout", input: "hey" },
    ],
    { agentsFile, scriptFile, tools: { shout: (text: string) => text.toUpperCase() } },
  );
  expect(capabilities).toEqual([
    "TOOL:http_request",
    "TOOL:http",
    "TOOL:transform",
    "TOOL:shout",
    "AGENT:triage",
    "AGENT:*",
  ]);
  const [file, own, both, nobody, sorted, blocked, misspelled, shouted] = ended;
  expect(file).toMatchObject({ text: "from the file for help", _usage: { provider: "scripted", calls: 1 } });
  expect(own).toMatchObject({ score: 3 });
  expect(both).toMatchObject({ text: "from the definition" });
  expect(nobody).toMatchObject({ type: "agent_unknown", nonRetryable: true });
  expect((nobody as { message: string }).message).toContain("declare it under `agents`");
  expect(sorted).toEqual([1, 2, 3]);
  expect(blocked).toMatchObject({ type: "url_forbidden", nonRetryable: true });
  expect(misspelled).toMatchObject({ type: "input_invalid", nonRetryable: true });
  expect(shouted).toBe("HEY");
  expect(worker.stats).toMatchObject({ completed: 5, failed: 3 });
});

it("lets agents use the worker's tools", async () => {
  const script: Json = [
    { when: "turn == 1", tool_calls: [{ name: "price", arguments: { sku: "${sku}" } }] },
    { reply: "It costs ${tools.price}." },
  ];
  const { ended } = await runJobs(
    [
      { name: "seller", input: { sku: "a-1" }, agent: { provider: "scripted", tools: ["price"], script } },
      { name: "seller", agent: { provider: "scripted", tools: ["prise"], script } },
    ],
    { tools: { price: ({ sku }: { sku: string }) => (sku === "a-1" ? 5 : 0) } },
  );
  expect(ended[0]).toMatchObject({ text: "It costs 5.", _usage: { calls: 2, tool_calls: 1 } });
  expect(ended[1]).toMatchObject({ type: "agent_invalid", nonRetryable: true });
  expect((ended[1] as { message: string }).message).toContain('the tool "prise", which this worker does not have');
});

it("refuses files that cannot be used, before it connects", () => {
  const folder = directory();
  const broken = join(folder, "broken.yaml");
  writeFileSync(broken, "agents: [");
  const options = { logger, config: workerConfig.parse({}) };
  expect(() => createWorkerService({ ...options, agentsFile: broken })).toThrow("cannot be read as YAML or JSON");
  expect(() => createWorkerService({ ...options, agentsFile: join(folder, "none.yaml") })).toThrow("ENOENT");
  expect(() => createWorkerService({ ...options, httpAllow: ["http://x"] })).toThrow("cannot be allowed");
});
