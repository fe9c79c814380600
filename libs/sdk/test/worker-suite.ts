import { DomainError } from "@heddle/errors";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { RefusalReason } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { RpcTransport } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createWorker, TaskError, type CreateWorkerOptions, type TaskContext, type Worker } from "../src/index.ts";
import {
  createFakeScheduler,
  makeTask,
  outputOf,
  type FakeScheduler,
  type FakeSchedulerOptions,
  type FakeStream,
} from "./fake-scheduler.ts";

/** Makes a scheduler reachable. `close` ends what was opened for it. */
export type Reach = (scheduler: FakeScheduler) => Promise<{ transport: RpcTransport; close(): Promise<void> }>;

/** How a worker behaves towards the scheduler, over any transport. */
export function runWorkerSuite(name: string, reach: Reach): void {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  interface Setup {
    scheduler: FakeScheduler;
    worker: Worker;
    stream: FakeStream;
  }

  async function setUp(options: CreateWorkerOptions, fake: FakeSchedulerOptions = {}): Promise<Setup> {
    const scheduler = createFakeScheduler(fake);
    const { transport, close } = await reach(scheduler);
    const logger = createLogger({ name: "test", level: "silent" });
    const worker = createWorker({ transport, logger, ...options, limits: { reconnectMinMs: 1, ...options.limits } });
    cleanups.push(close, () => worker.stop({ drainMs: 0 }));
    const started = worker.start();
    const stream = await scheduler.stream(1);
    if (fake.welcomes !== false) await started;
    return { scheduler, worker, stream };
  }

  /** The results of a stream, once there are so many. */
  async function resultsOf(stream: FakeStream, count: number): Promise<FakeStream["results"]> {
    await vi.waitFor(() => expect(stream.results.length).toBeGreaterThanOrEqual(count), {
      timeout: 5_000,
      interval: 2,
    });
    return stream.results;
  }

  /** Lets everything that is on its way arrive: a task sent now is answered after all that was sent before. */
  async function roundTrip(stream: FakeStream): Promise<void> {
    const before = stream.results.length;
    stream.deliver(makeTask("probe"));
    await vi.waitFor(() => expect(stream.results.length).toBeGreaterThan(before), { timeout: 5_000, interval: 2 });
  }

  const probe = () => "probe";

  describe(`a worker over ${name}`, () => {
    it("says who it is and what it offers", async () => {
      const inputSchema = { type: "object", required: ["to"] };
      const { stream } = await setUp({
        namespace: "sales",
        workerId: "w-1",
        labels: { zone: "a" },
        slots: 7,
        handlers: { send_mail: { handler: probe, inputSchema, description: "Sends mail", maxConcurrent: 2 } },
        agents: { "*": probe },
      });
      expect(stream.hello).toMatchObject({
        namespace: "sales",
        workerId: "w-1",
        slots: 7,
        labels: { zone: "a" },
        held: [],
      });
      expect(stream.hello.client).toMatch(/^heddle-ts\//);
      const [tool, agent] = stream.hello.capabilities;
      expect(tool).toMatchObject({
        type: TaskType.TOOL,
        name: "send_mail",
        description: "Sends mail",
        maxConcurrent: 2,
      });
      expect(JSON.parse(tool?.inputSchema?.form.value as string)).toEqual(inputSchema);
      expect(agent).toMatchObject({ type: TaskType.AGENT, name: "*", maxConcurrent: 0 });
    });

    it("gives a task to its handler and its output to the scheduler", async () => {
      let seen: Partial<TaskContext> = {};
      const { stream } = await setUp({
        handlers: {
          greet: async (input: { name: string }, context) => {
            const { taskId, idempotencyKey, executionId, nodeId, attempt, workflowId, namespace } = context;
            seen = { taskId, idempotencyKey, executionId, nodeId, attempt, workflowId, namespace, name: context.name };
            return { text: `Hello, ${input.name}!` };
          },
        },
      });
      const taskId = "0199aaaa-0000-7000-8000-000000000001/a/b/3";
      stream.deliver(makeTask("greet", { name: "Ada" }, { taskId, fencingToken: 42n, workflowId: "hello" }));
      const [result] = await resultsOf(stream, 1);
      expect(outputOf(result)).toEqual({ text: "Hello, Ada!" });
      expect(result).toMatchObject({ taskId, fencingToken: 42n, frame: 1 });
      expect(Number(result?.startedAtMs)).toBeGreaterThan(1.7e12);
      expect(seen).toEqual({
        taskId,
        idempotencyKey: taskId,
        executionId: "0199aaaa-0000-7000-8000-000000000001",
        nodeId: "a/b",
        attempt: 3,
        workflowId: "hello",
        namespace: "default",
        name: "greet",
      });
    });

    it("sends results that come in one turn in one frame", async () => {
      const { stream } = await setUp({ slots: 500, handlers: { now: () => null, soon: async () => undefined } });
      stream.deliver(...Array.from({ length: 300 }, (_, index) => makeTask(index % 2 === 0 ? "now" : "soon")));
      const results = await resultsOf(stream, 300);
      expect(new Set(results.map(({ frame }) => frame))).toEqual(new Set([1]));
      expect(new Set(results.map(({ taskId }) => taskId)).size).toBe(300);
      expect(results.every((result) => outputOf(result) === null)).toBe(true);
    });

    it("splits frames by count and by size", async () => {
      const { stream } = await setUp({
        handlers: { pad: (length: number) => "x".repeat(length) },
        limits: { frameMaxResults: 3, frameMaxChars: 1_000 },
      });
      stream.deliver(...[1, 1, 1, 1, 900, 900, 1].map((length) => makeTask("pad", length)));
      const results = await resultsOf(stream, 7);
      expect(results.map(({ frame }) => frame)).toEqual([1, 1, 1, 2, 2, 3, 3]);
    });

    it("classifies failures", async () => {
      const { stream, worker } = await setUp({
        handlers: {
          declined: () => {
            throw new TaskError("card_declined", "the bank refused", {
              retryable: false,
              retryAfterMs: 1_500.2,
              details: { code: 51 },
            });
          },
          broken: async () => {
            throw new RangeError("out of range");
          },
          rude: async () => {
            // oxlint-disable-next-line typescript/only-throw-error -- what careless handlers do
            throw "just text";
          },
          nan: () => ({ items: [{ total: Number.NaN }] }),
          huge: () => "x".repeat(5_000),
          strict: { handler: probe, inputSchema: { type: "object", required: ["to"] } },
        },
        limits: { outputMaxBytes: 4_096 },
      });
      const names = ["declined", "broken", "rude", "nan", "huge", "strict", "unknown"];
      const tasks = names.map((each) => makeTask(each));
      stream.deliver(...tasks);
      const results = await resultsOf(stream, names.length);
      const failureOf = (each: string) => {
        const { taskId } = tasks[names.indexOf(each)] ?? {};
        return results.find((result) => result.taskId === taskId)?.failure;
      };
      expect(failureOf("declined")).toMatchObject({
        type: "card_declined",
        message: "the bank refused",
        nonRetryable: true,
        retryAfterMs: 1_501n,
        details: { form: { value: '{"code":51}' } },
      });
      expect(failureOf("broken")).toMatchObject({ type: "RangeError", message: "out of range", nonRetryable: false });
      expect(failureOf("rude")).toMatchObject({ type: "Error", message: "the handler threw just text" });
      expect(failureOf("nan")).toMatchObject({ type: "output_not_json", nonRetryable: true });
      expect(failureOf("nan")?.message).toContain("output.items[0].total is NaN");
      expect(failureOf("huge")).toMatchObject({ type: "payload_too_large", nonRetryable: true });
      expect(failureOf("strict")).toMatchObject({ type: "input_invalid", nonRetryable: true });
      expect(failureOf("strict")?.message).toContain("must have required property 'to'");
      expect(failureOf("unknown")).toMatchObject({ type: "handler_missing", nonRetryable: false });
      expect(worker.stats).toMatchObject({ failed: 7, completed: 0 });
    });

    it("never runs more tasks than it has slots, nor more of a kind than its limit, whatever it is sent", async () => {
      const gates: (() => void)[] = [];
      const begun: string[] = [];
      const wait = (input: string) => {
        begun.push(input);
        return new Promise<string>((resolve) => gates.push(() => resolve(input)));
      };
      const { stream, worker } = await setUp({
        slots: 3,
        handlers: { one: { handler: wait, maxConcurrent: 1 }, many: wait },
      });
      stream.deliver(
        ...["one-1", "one-2", "many-1", "many-2", "many-3"].map((input) => makeTask(input.split("-")[0] ?? "", input)),
      );
      await vi.waitFor(() => expect(worker.stats).toMatchObject({ running: 3, waiting: 2 }));
      expect(begun).toEqual(["one-1", "many-1", "many-2"]);
      gates[1]?.();
      await vi.waitFor(() => expect(begun).toEqual(["one-1", "many-1", "many-2", "many-3"]));
      gates[0]?.();
      await vi.waitFor(() => expect(begun).toEqual(["one-1", "many-1", "many-2", "many-3", "one-2"]));
      for (const open of gates) open();
      await resultsOf(stream, 5);
      expect(worker.stats).toMatchObject({ running: 0, waiting: 0, completed: 5 });
    });

    it("is not confused by promises that settle twice or throw", async () => {
      const twice = {
        // oxlint-disable-next-line unicorn/no-thenable -- what careless libraries give
        then(resolve: (value: string) => void, reject: (error: Error) => void) {
          resolve("first");
          resolve("second");
          reject(new Error("third"));
          throw new Error("fourth");
        },
      };
      const { stream, worker } = await setUp({ slots: 1, handlers: { twice: () => twice, probe } });
      stream.deliver(makeTask("twice"), makeTask("probe"));
      expect((await resultsOf(stream, 2)).map(outputOf)).toEqual(["first", "probe"]);
      expect(worker.stats).toMatchObject({ running: 0, waiting: 0, completed: 2, failed: 0 });
    });

    it("stops canceled tasks, waiting ones too, and sends no result for them", async () => {
      let reason: unknown;
      const never = (_input: unknown, { signal }: TaskContext) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reason = signal.reason;
            reject(new Error("stopped"));
          });
        });
      const { stream, worker } = await setUp({ slots: 1, handlers: { never, probe } });
      const [running, waiting] = [makeTask("never"), makeTask("never")];
      stream.deliver(running, waiting);
      await vi.waitFor(() => expect(worker.stats).toMatchObject({ running: 1, waiting: 1 }));
      stream.cancel(running.taskId, waiting.taskId, "unknown/task/1");
      await roundTrip(stream);
      expect(String(reason)).toContain("canceled");
      expect(stream.results.map(outputOf)).toEqual(["probe"]);
      expect(worker.stats).toMatchObject({ aborted: 2, running: 0, waiting: 0, failed: 0 });
    });

    it("keeps the slot of an aborted handler that does not stop", async () => {
      let finish = () => {};
      const deaf = () => new Promise<void>((resolve) => (finish = resolve));
      const { stream, worker } = await setUp({ slots: 1, handlers: { deaf, probe } });
      const task = makeTask("deaf");
      stream.deliver(task);
      await vi.waitFor(() => expect(worker.stats.running).toBe(1));
      stream.cancel(task.taskId);
      stream.deliver(makeTask("probe"));
      await vi.waitFor(() => expect(worker.stats).toMatchObject({ running: 1, waiting: 1 }));
      finish();
      expect((await resultsOf(stream, 1)).map(outputOf)).toEqual(["probe"]);
    });

    it("aborts a task at its timeout and says so", async () => {
      const { stream } = await setUp({
        handlers: {
          slow: (_input, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener("abort", () => reject(new Error("whatever a library says")));
            }),
        },
      });
      stream.deliver(makeTask("slow", null, { timeoutMs: 20n }));
      const [result] = await resultsOf(stream, 1);
      expect(result?.failure).toMatchObject({ type: "timeout", nonRetryable: false });
      expect(result?.failure?.message).toContain("20 ms");
    });

    it("keeps leases by heartbeats and passes on signs of life and progress", async () => {
      let beat: TaskContext["heartbeat"] | undefined;
      const { stream } = await setUp(
        {
          handlers: {
            long: (_input, { heartbeat, signal }) => {
              beat = heartbeat;
              return new Promise((resolve) => signal.addEventListener("abort", resolve));
            },
          },
        },
        { heartbeatIntervalMs: 10 },
      );
      const task = makeTask("long", null, { fencingToken: 9n });
      stream.deliver(task);
      await vi.waitFor(() => expect(stream.heartbeats.length).toBeGreaterThanOrEqual(2));
      expect(stream.heartbeats[0]).toMatchObject({ taskId: task.taskId, fencingToken: 9n, fromHandler: false });
      beat?.({ done: 3, of: 10 });
      await vi.waitFor(() => expect(stream.heartbeats.some(({ fromHandler }) => fromHandler)).toBe(true));
      const [first, ...others] = stream.heartbeats.filter(({ fromHandler }) => fromHandler);
      expect(first?.progress?.form.value).toBe('{"done":3,"of":10}');
      expect(others).toEqual([]);
    });

    const SHORT = [{ heartbeatTimeoutMs: 1_000n }, { heartbeatTimeoutMs: 7_200_000n, progressTimeoutMs: 1_000n }];
    it.each(SHORT)(
      "does not keep a sign of life to itself when the task wants one before the interval: %o",
      async (limits) => {
        const { stream } = await setUp(
          {
            handlers: {
              long: async (_input, { heartbeat, signal }) => {
                heartbeat("first");
                await new Promise((resolve) => signal.addEventListener("abort", resolve));
              },
            },
          },
          { heartbeatIntervalMs: 3_600_000 },
        );
        stream.deliver(makeTask("long", null, limits));
        await vi.waitFor(() => expect(stream.heartbeats.length).toBe(1));
        expect(stream.heartbeats[0]).toMatchObject({ fromHandler: true, progress: { form: { value: '"first"' } } });
      },
    );

    it("resends what was not acknowledged and names what it holds when the stream comes back", async () => {
      let finish = () => {};
      const { scheduler, stream, worker } = await setUp(
        { handlers: { quick: (input) => input, slow: () => new Promise<void>((resolve) => (finish = resolve)) } },
        { acknowledges: false },
      );
      const [first, second, slow] = [makeTask("quick", 1), makeTask("quick", 2), makeTask("slow")];
      stream.deliver(first);
      await resultsOf(stream, 1);
      stream.acknowledge(1);
      stream.deliver(second, slow);
      await resultsOf(stream, 2);
      await vi.waitFor(() => expect(worker.stats.unacknowledged).toBe(1));
      stream.breakOff(new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" }));

      const again = await scheduler.stream(2);
      expect(again.hello.held.map(({ taskId }) => taskId).toSorted()).toEqual([second.taskId, slow.taskId].toSorted());
      expect(again.hello.held.every(({ startedAtMs, fencingToken }) => startedAtMs > 0n && fencingToken > 0n)).toBe(
        true,
      );
      const [resent] = await resultsOf(again, 1);
      expect(resent).toMatchObject({ taskId: second.taskId, frame: 2 });
      again.acknowledge(2);
      finish();
      const results = await resultsOf(again, 2);
      expect(results[1]).toMatchObject({ taskId: slow.taskId, frame: 3 });
      again.acknowledge(3);
      await vi.waitFor(() => expect(worker.stats).toMatchObject({ unacknowledged: 0, outages: 1, connected: true }));
    });

    it("drops what the scheduler tells it to drop, running or finished", async () => {
      let aborted = false;
      const { scheduler, stream, worker } = await setUp(
        {
          handlers: {
            quick: (input) => input,
            slow: (_input, { signal }) =>
              new Promise((resolve) =>
                signal.addEventListener("abort", () => {
                  aborted = true;
                  resolve("too late");
                }),
              ),
            probe,
          },
        },
        { acknowledges: false, welcomes: false },
      );
      stream.welcome();
      const [finished, running] = [makeTask("quick", 1), makeTask("slow")];
      stream.deliver(finished, running);
      await resultsOf(stream, 1);
      stream.breakOff(new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" }));
      const again = await scheduler.stream(2);
      again.welcome([finished.taskId, running.taskId]);
      await roundTrip(again);
      expect(aborted).toBe(true);
      expect(again.results.map(outputOf)).toEqual(["probe"]);
      expect(worker.stats).toMatchObject({ aborted: 1, running: 0 });
    });

    it("goes on with a task that is delivered again, under the newer token", async () => {
      const finishers: (() => void)[] = [];
      const { stream } = await setUp({
        handlers: { probe, slow: () => new Promise<void>((resolve) => finishers.push(resolve)) },
      });
      const task = makeTask("slow", null, { fencingToken: 5n });
      stream.deliver(task);
      stream.deliver({ ...task, fencingToken: 8n });
      await roundTrip(stream);
      expect(finishers.length).toBe(1);
      finishers[0]?.();
      const results = await resultsOf(stream, 2);
      expect(results[1]).toMatchObject({ taskId: task.taskId, fencingToken: 8n });
    });

    it("begins nothing new while too many results are unacknowledged", async () => {
      const { stream, worker } = await setUp(
        { handlers: { quick: (input) => input }, limits: { unacknowledgedMaxResults: 2 } },
        { acknowledges: false },
      );
      stream.deliver(...[1, 2, 3, 4].map((input) => makeTask("quick", input)));
      await resultsOf(stream, 2);
      expect(worker.stats).toMatchObject({ waiting: 2, unacknowledged: 2 });
      stream.acknowledge(1);
      expect((await resultsOf(stream, 4)).map(outputOf)).toEqual([1, 2, 3, 4]);
    });

    it("counts results that the scheduler refused", async () => {
      const { stream, worker } = await setUp({ handlers: { probe } });
      const refusals = [
        {
          $typeName: "heddle.worker.v1.Refusal" as const,
          taskId: "a/b/1",
          reason: RefusalReason.OLD_TOKEN,
        },
      ];
      stream.send({ case: "refusals", value: { $typeName: "heddle.worker.v1.WorkerRefusals", refusals } });
      await roundTrip(stream);
      expect(worker.stats.refused).toBe(1);
    });

    it("finishes what runs when it stops, and waits until the results are acknowledged", async () => {
      let finish = () => {};
      const { stream, worker } = await setUp(
        { handlers: { slow: () => new Promise<string>((resolve) => (finish = () => resolve("done"))) } },
        { acknowledges: false },
      );
      stream.deliver(makeTask("slow"));
      await vi.waitFor(() => expect(worker.stats.running).toBe(1));
      let stopped = false;
      const stopping = worker.stop({ drainMs: 60_000 }).then(() => (stopped = true));
      await vi.waitFor(() => expect(stream.frames.at(-1)?.case).toBe("drain"));
      finish();
      expect((await resultsOf(stream, 1)).map(outputOf)).toEqual(["done"]);
      expect(stopped).toBe(false);
      stream.acknowledge(1);
      await stopping;
      await vi.waitFor(() => expect(stream.ended).toBe(true));
      expect(worker.stats.connected).toBe(false);
    });

    it("aborts what still runs when the drain time is over, without a result", async () => {
      let reason: unknown;
      const { stream, worker } = await setUp({
        handlers: {
          slow: (_input, { signal }) =>
            new Promise((resolve) =>
              signal.addEventListener("abort", () => {
                reason = signal.reason;
                resolve("too late");
              }),
            ),
        },
      });
      stream.deliver(makeTask("slow"));
      await vi.waitFor(() => expect(worker.stats.running).toBe(1));
      await worker.stop({ drainMs: 5 });
      expect(String(reason)).toContain("the worker stops");
      expect(stream.results).toEqual([]);
      expect(worker.stats.aborted).toBe(1);
    });

    it("comes back after a refusal that passes, and gives up on one that does not", async () => {
      let hellos = 0;
      const { scheduler, worker } = await setUp(
        { handlers: { probe } },
        {
          onHello() {
            hellos += 1;
            if (hellos === 2)
              throw new DomainError({ kind: "invalid_argument", reason: "HELLO_EXPECTED", message: "odd" });
          },
        },
      );
      scheduler.streams[0]?.breakOff(
        new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" }),
      );
      await vi.waitFor(() => expect(hellos).toBe(3));
      await vi.waitFor(() => expect(worker.stats.connected).toBe(true));

      const refuses = createFakeScheduler({
        onHello() {
          throw new DomainError({ kind: "permission_denied", reason: "NAMESPACE_FORBIDDEN", message: "not yours" });
        },
      });
      const { transport, close } = await reach(refuses);
      cleanups.push(close);
      const logger = createLogger({ name: "test", level: "silent" });
      const refused = createWorker({ transport, logger, handlers: { probe } });
      cleanups.push(() => refused.stop({ drainMs: 0 }));
      await expect(refused.start()).rejects.toThrow("not yours");
    });
  });
}
