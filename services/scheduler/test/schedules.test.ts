import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { createRawEventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findSchedule, type ScheduleRow } from "../src/store/schedules.ts";
import { type ScheduleSuite, startScheduleSuite } from "./schedule-suite.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;

let suite: ScheduleSuite;
beforeEach(async () => {
  suite = await startScheduleSuite();
});
afterEach(() => suite.stop());

interface Declared {
  id?: string;
  everyMs?: number;
  overlap?: string;
  catchUpMs?: number;
  input?: object;
  paused?: boolean;
}

const schedule = ({ id = "s", everyMs = MINUTE, overlap = "", catchUpMs, input, paused = false }: Declared = {}) => ({
  id,
  spec: { case: "interval" as const, value: durationFromMs(everyMs) },
  overlap,
  inputJson: input === undefined ? "" : JSON.stringify(input),
  paused,
  ...(catchUpMs !== undefined && { catchUpWindow: durationFromMs(catchUpMs) }),
});

const trigger = (workflowId: string, { id = "t", statuses = ["completed"], filter = "", input = {} } = {}) => ({
  id,
  source: { case: "executionEnd" as const, value: { workflowId, statuses } },
  filter,
  inputJson: JSON.stringify(input),
});

type Version = { schedules?: ReturnType<typeof schedule>[]; triggers?: ReturnType<typeof trigger>[] };
const activate = (workflowId: string, version: Version) =>
  suite.activate(workflowId, { case: "versionActivated", value: { version: 1, ...version } });
const find = (scheduleId: string): Promise<ScheduleRow | undefined> =>
  findSchedule(suite.test.database, { namespace: "default", scheduleId });
const started = (): string[] =>
  suite.execution.started().map(({ labels, requestId }) => labels["heddle.due_at"] ?? requestId);
const rowsOf = async <Row>(text: string): Promise<Row[]> => (await suite.test.database.query<Row>({ text })).rows;
/** Long enough for everything that is due to have been looked at. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 60));

describe("declared schedules", () => {
  it("start their workflow at their times, once each, with the input of that time", async () => {
    await suite.join();
    await activate("report", { schedules: [schedule({ overlap: "allow", input: { day: "${schedule.due_at}" } })] });
    await expect.poll(started).toEqual(["2026-01-05T00:00:00Z"]);
    suite.clock.nowMs += MINUTE;
    await expect.poll(started).toEqual(["2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z"]);
    expect(suite.execution.requests[1]).toMatchObject({
      namespace: "default",
      workflowId: "report",
      version: 0,
      input: { day: "2026-01-05T00:01:00Z" },
      requestId: "schedule/report/s/2026-01-05T00:01:00Z",
      labels: { "heddle.schedule": "report/s", "heddle.due_at": "2026-01-05T00:01:00Z" },
    });
    await settle();
    expect(suite.execution.requests).toHaveLength(2);
  });

  it("are replaced by those of the next version; what has not changed keeps its state", async () => {
    const { scheduling } = await suite.join();
    const kept = schedule({ id: "kept", everyMs: HOUR, overlap: "allow" });
    await activate("report", {
      schedules: [kept, schedule({ id: "gone" }), schedule({ id: "changed", everyMs: HOUR })],
    });
    await expect.poll(async () => (await find("report/kept"))?.state.started).toBe(1);
    suite.clock.nowMs += HOUR / 2;
    const input = { n: 1 };
    await activate("report", { schedules: [kept, schedule({ id: "changed", everyMs: HOUR, paused: true, input })] });
    expect(await find("report/gone")).toBeUndefined();
    expect(await find("report/kept")).toMatchObject({ state: { started: 1, paused: false } });
    expect(await find("report/changed")).toMatchObject({ spec: { input }, state: { paused: true } });
    await suite.activate("report", { case: "deleted", value: { version: 2 } });
    expect(await rowsOf("select schedule_id from schedules")).toEqual([]);
    const before = suite.execution.requests.length;
    suite.clock.nowMs += HOUR;
    await scheduling.changed();
    await settle();
    expect(suite.execution.requests).toHaveLength(before);
  });

  it("take nothing from an event that comes again", async () => {
    await suite.join();
    await activate("report", { schedules: [schedule({ everyMs: HOUR })] });
    await suite.join();
    const [row] = await rowsOf<{ created_at: Date }>("select created_at from schedules");
    suite.clock.nowMs += 5;
    await activate("other", {});
    expect(await rowsOf("select created_at from schedules")).toEqual([row]);
  });
});

describe("one start for each time", () => {
  it("when its answer is lost", async () => {
    await suite.join();
    let lost = 0;
    suite.execution.beforeAnswer = () => {
      lost += 1;
      throw new DomainError({ kind: "unavailable", reason: "UNAVAILABLE", message: "the connection broke" });
    };
    await activate("report", { schedules: [schedule({ catchUpMs: HOUR })] });
    await expect.poll(() => lost).toBe(1);
    suite.clock.nowMs += 100;
    await expect.poll(async () => (await find("report/s"))?.state).toMatchObject({ started: 1, pending: [] });
    expect(started()).toEqual(["2026-01-05T00:00:00Z"]);
    expect(suite.execution.requests.length).toBeGreaterThan(1);
  });

  it("when the process dies after the start and before its answer is written", async () => {
    const dying = await suite.join();
    const never = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    suite.execution.beforeAnswer = () => {
      reached.resolve();
      return never.promise;
    };
    await activate("report", { schedules: [schedule({ catchUpMs: HOUR })] });
    await reached.promise;
    // As far as the next owner can see: the start is decided, and nobody knows what became of it.
    expect((await find("report/s"))?.state).toMatchObject({ started: 0, pending: [{ attempts: 1 }] });
    suite.execution.beforeAnswer = () => {};
    await suite.join();
    await expect.poll(async () => (await find("report/s"))?.state).toMatchObject({ started: 1, pending: [] });
    never.resolve();
    await dying.stop();
    expect((await find("report/s"))?.state).toMatchObject({ started: 1, running: [{}] });
    expect(started()).toHaveLength(1);
  });

  it("when two replicas both believe to own it", async () => {
    await Promise.all([suite.join(), suite.join(), suite.join()]);
    await activate("report", {
      schedules: ["a", "b", "c", "d"].map((id) => schedule({ id, overlap: "allow", catchUpMs: HOUR })),
    });
    for (let minute = 1; minute <= 5; minute += 1) {
      await expect.poll(() => suite.execution.started().length).toBe(4 * minute);
      suite.clock.nowMs += MINUTE;
    }
    await expect.poll(() => suite.execution.started().length).toBe(24);
    await expect
      .poll(async () =>
        (await rowsOf<{ n: number }>("select (state ->> 'started')::int as n from schedules")).map(({ n }) => n),
      )
      .toEqual([6, 6, 6, 6]);
  });
});

describe("overlap", () => {
  it("lets the start that waits follow when the one before has ended", async () => {
    await suite.join();
    await activate("report", { schedules: [schedule({ overlap: "buffer_one" })] });
    await expect.poll(async () => (await find("report/s"))?.state.running[0]?.unchecked ?? true).toBe(true);
    suite.clock.nowMs += MINUTE;
    await expect
      .poll(async () => (await find("report/s"))?.state.bufferedDueMs)
      .toBe(Date.parse("2026-01-05T00:01:00Z"));
    suite.clock.nowMs += HOUR;
    await expect.poll(async () => (await find("report/s"))?.state.skipped).toBeGreaterThan(0);
    const end = suite.execution.end(suite.execution.started()[0]!);
    await suite.publish([end, end]);
    await expect.poll(started).toEqual(["2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z"]);
  });

  it("is not held up by a run whose end was told before its start was written", async () => {
    await suite.join();
    suite.execution.beforeAnswer = (execution) => suite.publish([suite.execution.end(execution)]);
    await activate("report", { schedules: [schedule({ overlap: "skip" })] });
    await expect.poll(async () => (await find("report/s"))?.state).toMatchObject({ started: 1, running: [] });
    suite.clock.nowMs += MINUTE;
    await expect.poll(started).toHaveLength(2);
  });

  it("cancels the one before", async () => {
    await suite.join();
    await activate("report", { schedules: [schedule({ overlap: "cancel_other" })] });
    await expect.poll(async () => (await find("report/s"))?.state.started).toBe(1);
    suite.clock.nowMs += MINUTE;
    await expect.poll(started).toHaveLength(2);
    expect(suite.execution.canceled).toContain(suite.execution.started()[0]?.executionId);
  });
});

describe("outages", () => {
  it("of execution are waited for, as long as the catch-up window says", async () => {
    await suite.join();
    suite.execution.away = true;
    await activate("report", {
      schedules: [schedule({ id: "patient", catchUpMs: HOUR }), schedule({ id: "impatient" })],
    });
    await expect.poll(async () => (await find("report/patient"))?.state.pending[0]?.attempts).toBeGreaterThan(0);
    suite.clock.nowMs += 30_000;
    await expect.poll(async () => (await find("report/impatient"))?.state.skipped).toBe(1);
    suite.execution.away = false;
    await expect.poll(started).toEqual(["2026-01-05T00:00:00Z"]);
    expect(suite.execution.requests[0]?.labels["heddle.schedule"]).toBe("report/patient");
  });

  it("of the scheduler are caught up, each time once", async () => {
    const first = await suite.join();
    await activate("report", { schedules: [schedule({ overlap: "allow", catchUpMs: 3 * MINUTE })] });
    await expect.poll(started).toHaveLength(1);
    await first.stop();
    suite.clock.nowMs += 24 * HOUR + 1_000;
    await suite.join();
    await expect
      .poll(started)
      .toEqual(["2026-01-05T00:00:00Z", "2026-01-05T23:58:00Z", "2026-01-05T23:59:00Z", "2026-01-06T00:00:00Z"]);
  });

  it("end what refuses a start for good with a reason, and the next time is tried again", async () => {
    await suite.join();
    suite.execution.refused = "report";
    await activate("report", { schedules: [schedule()] });
    await expect.poll(async () => (await find("report/s"))?.state.failed).toBe(1);
    expect((await find("report/s"))?.state.lastProblem).toContain("no such workflow");
    suite.execution.refused = "";
    suite.clock.nowMs += MINUTE;
    await expect.poll(started).toEqual(["2026-01-05T00:01:00Z"]);
  });
});

describe("replicas", () => {
  it("start only what they own, hear of what others wrote, and take over", async () => {
    let owner = "a";
    const a = await suite.join({ isOwner: () => owner === "a" });
    const b = await suite.join({ isOwner: () => owner === "b" });
    await activate("report", { schedules: [schedule()] });
    await expect.poll(async () => (await find("report/s"))?.state.started).toBe(1);
    const [running] = suite.execution.started();
    await a.stop();
    // Its end is told to nobody.
    suite.execution.end(running!);
    owner = "b";
    suite.clock.nowMs += MINUTE;
    await settle();
    expect(started()).toHaveLength(1);
    b.ownershipChanged();
    await expect.poll(started).toHaveLength(2);
  });
});

describe("triggers", () => {
  it("cost nothing while nobody waits for an end", async () => {
    await suite.join();
    await activate("report", { schedules: [schedule({ overlap: "allow" })] });
    expect(suite.bus.hasConsumers(ExecutionEventSchema.typeName)).toBe(false);
    await activate("after", { triggers: [trigger("report")] });
    expect(suite.bus.hasConsumers(ExecutionEventSchema.typeName)).toBe(true);
  });

  const run = async (workflowId: string, labels: Record<string, string> = {}) => {
    const requestId = `by-hand-${suite.execution.started().length}`;
    suite.execution.requests.length = 0;
    const client = createRpcClient(ExecutionService, suite.execution.transport);
    const { execution } = await client.startExecution({ namespace: "default", workflowId, requestId, labels });
    return suite.execution.executions.get(execution!.requestId)!;
  };

  it("start once for each end that passes their filter, with what the event says", async () => {
    await suite.join();
    const input = { n: "${event.output.n}", of: "${event.execution_id}", status: "${event.status}" };
    await activate("after", { triggers: [trigger("report", { filter: "event.output.n > 1", input })] });
    const [small, large, other] = [await run("report"), await run("report"), await run("other")];
    const ends = [
      suite.execution.end(small, { n: 1 }),
      suite.execution.end(large, { n: 2 }),
      suite.execution.end(other, { n: 9 }),
      suite.execution.end(await run("report"), { n: 3 }, ExecutionStatus.FAILED),
    ];
    await suite.publish(ends);
    await suite.publish(ends);
    await expect.poll(() => suite.execution.started("after")).toHaveLength(1);
    await expect.poll(() => rowsOf("select * from trigger_firings")).toEqual([]);
    expect(suite.execution.started("after")).toMatchObject([
      {
        input: { n: 2, of: large.executionId, status: "completed" },
        requestId: `trigger/after/t/${large.executionId}/7`,
        labels: { "heddle.trigger": "after/t", "heddle.triggered_by": large.executionId, "heddle.trigger_depth": "1" },
      },
    ]);
  });

  it("stop with a reason where they would start one another for ever", async () => {
    await suite.join();
    await activate("ring", { triggers: [trigger("ring")] });
    const first = await run("ring", { "heddle.trigger_depth": "15" });
    await suite.publish([suite.execution.end(first)]);
    await expect.poll(() => suite.execution.started("ring")).toHaveLength(2);
    await suite.publish([suite.execution.end(suite.execution.started("ring")[1]!)]);
    const parked = () => rowsOf<{ parked_reason: string }>("select parked_reason from trigger_firings");
    await expect
      .poll(async () => (await parked())[0]?.parked_reason)
      .toContain("start 17 by triggers in a row; 16 are allowed");
    expect(suite.execution.started("ring")).toHaveLength(2);
  });

  it("park what is refused for good, and wait for execution otherwise", async () => {
    await suite.join();
    suite.execution.refused = "refused";
    await activate("refused", { triggers: [trigger("report")] });
    await activate("broken", { triggers: [trigger("report", { input: { x: "${event.output.missing.deep}" } })] });
    await activate("patient", { triggers: [trigger("report")] });
    const report = await run("report");
    suite.execution.away = true;
    await suite.publish([suite.execution.end(report)]);
    await settle();
    suite.execution.away = false;
    suite.clock.nowMs += 1_000;
    await expect.poll(() => suite.execution.started("patient")).toHaveLength(1);
    const parked = () =>
      rowsOf<{ workflow_id: string; parked_reason: string | null }>(
        "select workflow_id, parked_reason from trigger_firings order by workflow_id",
      );
    await expect.poll(parked).toMatchObject([
      { workflow_id: "broken", parked_reason: expect.stringContaining("missing") },
      { workflow_id: "refused", parked_reason: expect.stringContaining("no such workflow") },
    ]);
  });

  it("know nothing of ends from before they were declared", async () => {
    await suite.join();
    const report = await run("report");
    const end = suite.execution.end(report);
    suite.clock.nowMs += 1_000;
    await activate("after", { triggers: [trigger("report")] });
    await suite.publish([end]);
    await settle();
    expect(suite.execution.started("after")).toEqual([]);
  });
});

it("parks a definition event that cannot be read, and goes on behind it", async () => {
  await suite.join();
  const poison = createRawEventMessage(DefinitionEventSchema.typeName, new Uint8Array([255, 255, 1]), {
    id: "default/report/0",
    source: "/heddle/definition",
    key: "default/report",
    position: { partition: 0, offset: 0, index: 0 },
  });
  await suite.publish([poison]);
  await activate("report", { schedules: [schedule()] });
  await expect.poll(started).toHaveLength(1);
  expect(await rowsOf("select consumer_group, message_value from event_poison")).toEqual([
    { consumer_group: "heddle.scheduler.definitions", message_value: Buffer.from([255, 255, 1]) },
  ]);
});
