import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DomainError } from "@heddle/errors";
import { createRpcClient, type RpcTransport } from "@heddle/rpc";
import { createMetrics } from "@heddle/telemetry";
import { LinkService } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import {
  SchedulerService,
  WaitReasonKind,
  WorkerStatus,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { connectWorker, type Harness, openLink, startScheduler, task, type Wire } from "./harness.ts";

/** Short times: what must last long enough is tested in the domain, where time is a number. */
const LIMITS = { recoveryWindowMs: 150, leaseDurationMs: 600, reconnectGraceMs: 200 };

/** Streams and calls are not ordered among each other: asks until the tasks that were scheduled have arrived. */
async function untilWaiting(transport: RpcTransport, count: number): Promise<void> {
  const client = createRpcClient(SchedulerService, transport);
  for (let waiting = -1; waiting !== count; ) {
    const { queues } = await client.describeQueue({ name: "echo" });
    waiting = Number(queues[0]?.waiting ?? 0);
  }
}

const WIRES: Wire[] = ["in-memory", "grpc"];

describe.each(WIRES)("the streams of the scheduler, %s", (wire) => {
  let scheduler: Harness;
  let transport: RpcTransport;
  beforeEach(async () => {
    scheduler = await startScheduler(wire, LIMITS);
    ({ transport } = scheduler);
  });
  afterEach(() => scheduler.stop());

  it("carry tasks to a worker and results to the owner, and acknowledgements back", async () => {
    const owner = openLink(transport, { acknowledge: true });
    const worker = connectWorker(transport);
    owner.schedule([task(1), task(2)]);
    const tasks = await worker.untilTasks(2);
    expect(tasks.map(({ taskId }) => taskId)).toEqual([task(1).taskId, task(2).taskId]);
    expect(tasks[0]?.input?.form.value).toBe('{"number":1}');
    worker.finish(tasks);
    const results = await owner.untilResults(2);
    expect(results.map(({ taskId, worker: by }) => [taskId, by])).toEqual([
      [task(1).taskId, "w1"],
      [task(2).taskId, "w1"],
    ]);
    await worker.until(() => worker.acknowledged() === 1n);
  });

  it("keep an agent that no definition describes for the worker that knows its name", async () => {
    const client = createRpcClient(SchedulerService, transport);
    const owner = openLink(transport, { acknowledge: true });
    const any = connectWorker(transport, { id: "any", tools: [], agents: ["*"] });
    const described = { form: { case: "json" as const, value: '{"provider":"scripted"}' } };
    const clerk = { type: TaskType.AGENT, name: "clerk" };
    owner.schedule([task(1, clerk), task(2, { ...clerk, agent: described })]);
    expect((await any.untilTasks(1)).map(({ taskId }) => taskId)).toEqual([task(2).taskId]);
    const { queues } = await client.describeQueue({ name: "clerk" });
    expect(queues).toMatchObject([{ waiting: 1n, running: 1n, workers: 1, freeSlots: 9n }]);
    const { reasons } = await client.explainWait({ taskId: task(1).taskId });
    expect(reasons).toMatchObject([{ kind: WaitReasonKind.NO_WORKER }]);
    expect(reasons[0]?.message).toContain("the workers that run any agent only take those that a definition describes");
    const exact = connectWorker(transport, { id: "exact", tools: [], agents: ["clerk"] });
    expect((await exact.untilTasks(1)).map(({ taskId }) => taskId)).toEqual([task(1).taskId]);
    exact.finish(exact.tasks());
    any.finish(any.tasks());
    const results = await owner.untilResults(2);
    expect(Object.fromEntries(results.map(({ taskId, worker }) => [taskId, worker]))).toEqual({
      [task(1).taskId]: "exact",
      [task(2).taskId]: "any",
    });
  });

  it("carry 20,000 tasks through few slots, each once, by priority", async () => {
    const owner = openLink(transport, { acknowledge: true });
    const count = 20_000;
    for (let start = 0; start < count; start += 10_000) {
      const tasks = Array.from({ length: 10_000 }, (_, index) => task(start + index, { priority: index % 3 }));
      owner.schedule(tasks);
    }
    await untilWaiting(transport, count);
    const worker = connectWorker(transport, { slots: 500 });
    let answered = 0;
    while (answered < count) {
      const tasks = await worker.untilTasks(answered + 1);
      worker.finish(tasks.slice(answered));
      answered = tasks.length;
    }
    const results = await owner.untilResults(count);
    expect(new Set(results.map(({ taskId }) => taskId)).size).toBe(count);
    const priorities = worker.tasks().map(({ priority }) => priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
  });

  it("let a worker come back with what it holds", async () => {
    const owner = openLink(transport);
    const before = connectWorker(transport);
    owner.schedule([task(1)]);
    const held = await before.untilTasks(1);
    before.stream.cancel();
    await before.ended;
    const after = connectWorker(transport, { held });
    expect(await after.dropped()).toEqual([]);
    after.finish(held);
    const [result] = await owner.untilResults(1);
    expect(result).toMatchObject({ taskId: task(1).taskId, fencingToken: held[0]?.fencingToken });
  });

  it("refuse the result of a worker whose task went to another, and say so", async () => {
    const owner = openLink(transport, { acknowledge: true });
    const zombie = connectWorker(transport, { id: "zombie" });
    owner.schedule([task(1)]);
    const held = await zombie.untilTasks(1);
    zombie.stream.cancel();
    const other = connectWorker(transport, { id: "other" });
    const [again] = await other.untilTasks(1);
    expect(again?.fencingToken).toBeGreaterThan(held[0]?.fencingToken as bigint);
    const back = connectWorker(transport, { id: "zombie", held });
    expect(await back.dropped()).toEqual([task(1).taskId]);
    back.finish(held);
    const refusals = await back.first(({ frame }) => (frame.case === "refusals" ? frame.value.refusals : undefined));
    expect(refusals).toMatchObject([{ taskId: task(1).taskId }]);
    await back.until(() => back.acknowledged() === 1n);
    expect(owner.results()).toEqual([]);
    other.finish(other.tasks());
    expect(await owner.untilResults(1)).toMatchObject([{ worker: "other" }]);
  });

  it("survive a restart of the scheduler: what is held goes on, what is finished counts, the rest is delivered", async () => {
    const tasks = [1, 2, 3].map((number) => task(number));
    const owner = openLink(transport, { id: "one" });
    const worker = connectWorker(transport, { slots: 2 });
    owner.schedule(tasks);
    const [first, second] = await worker.untilTasks(2);
    if (first === undefined || second === undefined) throw new Error("two tasks were delivered");
    await scheduler.restart();
    expect(await worker.ended).toMatchObject({ kind: "unavailable" });
    expect(await owner.ended).toMatchObject({ kind: "unavailable" });

    // The worker is back before the owner: its result waits for the owner's sync.
    const workerAgain = connectWorker(transport, { slots: 2, held: [second] });
    workerAgain.finish([first]);
    expect(await workerAgain.dropped()).toEqual([]);
    const ownerAgain = openLink(transport, { id: "one", acknowledge: true, sync: tasks });
    expect((await ownerAgain.untilResults(1)).map(({ taskId }) => taskId)).toEqual([first.taskId]);
    workerAgain.finish([second]);
    const [third] = await workerAgain.untilTasks(1);
    expect(third?.taskId).toBe(task(3).taskId);
    expect(third?.fencingToken).toBeGreaterThan(second.fencingToken);
    workerAgain.finish(workerAgain.tasks());
    const results = await ownerAgain.untilResults(3);
    expect(results.map(({ taskId }) => taskId)).toEqual([1, 2, 3].map((number) => task(number).taskId));
  });

  it("survive a broken link: results wait, and come again until they are acknowledged", async () => {
    const owner = openLink(transport, { id: "one" });
    const worker = connectWorker(transport);
    owner.schedule([task(1), task(2)]);
    const tasks = await worker.untilTasks(2);
    worker.finish(tasks.slice(0, 1));
    await owner.untilResults(1);
    owner.stream.cancel();
    await owner.ended;
    worker.finish(tasks.slice(1));
    const again = openLink(transport, { id: "one", sync: [task(1), task(2)] });
    expect((await again.untilResults(2)).map(({ taskId }) => taskId).sort()).toEqual([task(1).taskId, task(2).taskId]);
    expect(worker.acknowledged()).toBe(0n);
    again.acknowledge();
    await worker.until(() => worker.acknowledged() === 2n);
  });

  it("stop a worker's task that the owner does not want any longer", async () => {
    const owner = openLink(transport);
    const worker = connectWorker(transport);
    owner.schedule([task(1)]);
    await worker.untilTasks(1);
    owner.cancel([task(1).taskId]);
    const canceled = await worker.first(({ frame }) => (frame.case === "cancel" ? frame.value.taskIds : undefined));
    expect(canceled).toEqual([task(1).taskId]);
  });

  it.each([
    ["timeout", { timeoutMs: 100n }],
    ["heartbeat_timeout", { heartbeatTimeoutMs: 100n }],
  ])("end a task by its %s, at the worker and for the owner", async (type, fields) => {
    const owner = openLink(transport);
    const worker = connectWorker(transport);
    owner.schedule([task(1, fields)]);
    const tasks = await worker.untilTasks(1);
    worker.heartbeat(tasks);
    expect(await owner.untilResults(1)).toMatchObject([{ failure: { type }, fencingToken: 0n, worker: "w1" }]);
    await worker.first(({ frame }) => (frame.case === "cancel" ? frame.value : undefined));
    worker.finish(tasks);
    await worker.first(({ frame }) => (frame.case === "refusals" ? frame.value : undefined));
  });

  it("report what runs for a while to the owner", async () => {
    const owner = openLink(transport);
    connectWorker(transport, { id: "slow" });
    owner.schedule([task(1)]);
    const progress = await owner.first(({ frame }) => (frame.case === "progress" ? frame.value.tasks : undefined));
    expect(progress).toMatchObject([{ taskId: task(1).taskId, worker: "slow" }]);
  });

  it("let a worker finish what it has when it drains", async () => {
    const owner = openLink(transport);
    const worker = connectWorker(transport, { slots: 1 });
    owner.schedule([task(1), task(2)]);
    const tasks = await worker.untilTasks(1);
    worker.stream.send({ frame: { case: "drain", value: {} } });
    worker.finish(tasks);
    await owner.untilResults(1);
    const { reasons } = await createRpcClient(SchedulerService, transport).explainWait({ taskId: task(2).taskId });
    expect(reasons.map(({ kind }) => kind)).toEqual([WaitReasonKind.NO_WORKER]);
    expect(worker.tasks()).toHaveLength(1);
    // The worker closes its side when it is done: the stream ends without an error.
    worker.stream.close();
    expect(await worker.ended).toBeUndefined();
  });

  it("end with UNAVAILABLE when the service stops, and are refused after that", async () => {
    const streams = [openLink(transport), connectWorker(transport)];
    await Promise.all(streams.map((stream) => stream.until((frames) => frames.length > 0)));
    await scheduler.stopService();
    for (const stream of streams) {
      expect(await stream.ended).toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
    }
    expect(await connectWorker(transport).ended).toMatchObject({ kind: "unavailable" });
    const workers = createRpcClient(SchedulerService, transport).listWorkers({});
    await expect(workers).rejects.toMatchObject({ kind: "unavailable", reason: "SHUTTING_DOWN" });
  });

  it("close an older stream of the same worker, and an older link of the same owner", async () => {
    const [link, worker] = [openLink(transport), connectWorker(transport)];
    await worker.until((frames) => frames.length > 0);
    await link.until((frames) => frames.length > 0);
    openLink(transport);
    connectWorker(transport);
    expect(await link.ended).toMatchObject({ kind: "already_exists", reason: "REPLACED_BY_NEW_LINK" });
    expect(await worker.ended).toMatchObject({ kind: "already_exists", reason: "REPLACED_BY_NEW_STREAM" });
  });

  it("slow a link down while too much waits, but let its cancels through", async () => {
    await scheduler.stop();
    scheduler = await startScheduler(wire, { ...LIMITS, linkSlowdownTasks: 10, linkPauseMs: 20 });
    const owner = openLink(scheduler.transport);
    const count = 40;
    for (let number = 0; number < count; number++) owner.schedule([task(number)]);
    owner.cancel(Array.from({ length: count - 1 }, (_, number) => task(number).taskId));
    await untilWaiting(scheduler.transport, 1);
  });

  describe("insist on their first frame and on sound ones", () => {
    const hello = { workerId: "w", slots: 1, capabilities: [{ type: 1, name: "echo" }] };
    const cases: [string, object[], Partial<DomainError>][] = [
      ["no hello", [{ case: "drain", value: {} }], { kind: "invalid_argument", reason: "HELLO_EXPECTED" }],
      [
        "hello twice",
        [
          { case: "hello", value: hello },
          { case: "hello", value: hello },
        ],
        { reason: "HELLO_EXPECTED" },
      ],
      ["nothing in it", [{ case: "hello", value: hello }, { case: undefined }], { reason: "REQUEST_INVALID" }],
      [
        "slots and capabilities missing",
        [{ case: "hello", value: { workerId: "w" } }],
        {
          reason: "REQUEST_INVALID",
          violations: [
            { field: "hello.capabilities", description: "must have 1 to 1000 items" },
            { field: "hello.slots", description: "must be 1 to 100000" },
          ],
        },
      ],
    ];
    it.each(cases)("of a worker: %s", async (_what, frames, error) => {
      let end: (error: Error | undefined) => void = () => {};
      const ended = new Promise<Error | undefined>((resolve) => {
        end = resolve;
      });
      const stream = transport.openStream(WorkerService.method.connect, { onMessage: () => {}, onEnd: end });
      for (const frame of frames) stream.send({ frame } as never);
      const failure = await ended;
      expect(failure).toBeInstanceOf(DomainError);
      expect(failure).toMatchObject(error);
    });

    it("of an owner: a partition that there is not", async () => {
      const owner = openLink(transport, { sync: false });
      owner.sync([], [64]);
      expect(await owner.ended).toMatchObject({ kind: "invalid_argument", reason: "REQUEST_INVALID" });
    });

    it("end cleanly when the peer says nothing at all", async () => {
      let end: (error: Error | undefined) => void = () => {};
      const ended = new Promise<Error | undefined>((resolve) => {
        end = resolve;
      });
      transport.openStream(LinkService.method.openLink, { onMessage: () => {}, onEnd: end }).close();
      expect(await ended).toMatchObject({ kind: "invalid_argument", reason: "HELLO_EXPECTED" });
    });
  });

  describe("SchedulerService", () => {
    it("lists workers page by page, with where they stand", async () => {
      const client = createRpcClient(SchedulerService, transport);
      const owner = openLink(transport, { acknowledge: true });
      const workers = ["c", "a", "b"].map((id) => connectWorker(transport, { id, slots: 2, tools: ["echo", "zip"] }));
      await Promise.all(workers.map((worker) => worker.until((frames) => frames.length > 0)));
      owner.schedule([task(1), task(2), task(3)]);
      await Promise.all(workers.map((worker) => worker.untilTasks(1)));
      workers[1]?.stream.send({ frame: { case: "drain", value: {} } });
      workers[2]?.finish(workers[2].tasks());
      await owner.untilResults(1);
      const first = await client.listWorkers({ pageSize: 2 });
      expect(first.workers).toMatchObject([
        { workerId: "a", namespace: "default", status: WorkerStatus.DRAINING, slots: 2, running: 1, completed: 0n },
        {
          workerId: "b",
          status: WorkerStatus.CONNECTED,
          running: 0,
          completed: 1n,
          refused: 0n,
          capabilities: ["tool:echo", "tool:zip"],
        },
      ]);
      const second = await client.listWorkers({ pageSize: 2, pageToken: first.nextPageToken });
      expect(second.workers.map(({ workerId }) => workerId)).toEqual(["c"]);
      expect(second.nextPageToken).toBe("");
      expect((await client.listWorkers({ namespace: "other" })).workers).toEqual([]);
      await expect(client.listWorkers({ pageToken: "bad" })).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
    });

    it("describes queues and says why a task waits", async () => {
      const client = createRpcClient(SchedulerService, transport);
      const owner = openLink(transport);
      owner.schedule([task(1), task(2, { name: "rare" })]);
      const worker = connectWorker(transport);
      await worker.untilTasks(1);
      const { queues } = await client.describeQueue({});
      expect(queues).toMatchObject([
        { name: "echo", waiting: 0n, running: 1n, freeSlots: 9n, workers: 1 },
        {
          name: "rare",
          waiting: 1n,
          running: 0n,
          freeSlots: 0n,
          workers: 0,
          oldestScheduledAt: { seconds: 1_700_000_000n },
        },
      ]);
      expect(await client.explainWait({ taskId: task(2).taskId })).toMatchObject({
        taskId: task(2).taskId,
        running: false,
        rank: 1n,
        reasons: [{ kind: WaitReasonKind.NO_WORKER }],
      });
      await expect(client.explainWait({ taskId: "nobody/knows/1" })).rejects.toMatchObject({
        kind: "not_found",
        reason: "TASK_NOT_FOUND",
      });
    });

    it("answers what is not there yet with UNIMPLEMENTED", async () => {
      const client = createRpcClient(SchedulerService, transport);
      await expect(client.listLimits({})).rejects.toMatchObject({ kind: "unimplemented" });
    });
  });
});

it("counts what it does, and leaves no timer when it stops with leases and streams open", async () => {
  const metrics = createMetrics();
  const scheduler = await startScheduler("in-memory", LIMITS, metrics);
  const owner = openLink(scheduler.transport);
  const worker = connectWorker(scheduler.transport, { slots: 2 });
  owner.schedule([task(1), task(2), task(3), task(4)]);
  worker.finish((await worker.untilTasks(2)).slice(0, 1));
  await owner.untilResults(1);
  await worker.untilTasks(3);
  const text = metrics.text();
  expect(text).toContain("heddle_scheduler_dispatched_total 3");
  expect(text).toContain("heddle_scheduler_completed_total 1");
  expect(text).toContain("heddle_scheduler_waiting_tasks 1");
  expect(text).toContain("heddle_scheduler_running_tasks 2");
  expect(text).toContain("heddle_scheduler_unacknowledged_results 1");
  expect(text).toContain("heddle_scheduler_workers 1");
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  await scheduler.stop();
  await worker.ended;
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  expect(after).toBeLessThan(before);
});

it("ends streams with UNAVAILABLE when its server shuts down, and leaves nothing behind", async () => {
  const scheduler = await startScheduler("grpc", LIMITS);
  const streams = [openLink(scheduler.transport), connectWorker(scheduler.transport)];
  await Promise.all(streams.map((stream) => stream.until((frames) => frames.length > 0)));
  await scheduler.closeServer();
  for (const stream of streams) expect(await stream.ended).toMatchObject({ kind: "unavailable" });
  await scheduler.stop();
});
