import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createMemoryBus } from "@heddle/events";
import {
  OverlapPolicy,
  ScheduleSchema,
  SchedulerService,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { createInMemoryTransport, createRpcClient, type RpcClient, type RpcTransport } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSchedulerService, schedulerMigrations, type SchedulerServer } from "../src/index.ts";

const logger = createLogger({ name: "test", level: "silent" });
let test: TestDatabase;
let service: SchedulerServer;
let transport: RpcTransport;
let client: RpcClient<typeof SchedulerService>;

beforeEach(async () => {
  test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
  // Nobody answers behind it: what is due waits.
  const execution = createInMemoryTransport({ routes() {}, logger });
  service = createSchedulerService({ database: test.database, execution, bus: createMemoryBus(), owner: "a", logger });
  await service.start();
  transport = createInMemoryTransport({ routes: (router) => service.routes(router), logger });
  client = createRpcClient(SchedulerService, transport);
});
afterEach(async () => {
  await service.stop();
  transport.close();
  await test.drop();
});

const nightly = (fields: MessageInitShape<typeof ScheduleSchema> = {}) =>
  create(ScheduleSchema, {
    scheduleId: "nightly",
    workflowId: "report",
    spec: { case: "cron", value: "0 2 * * *" },
    timeZone: "Europe/Berlin",
    ...fields,
  });

describe("creating", () => {
  it("keeps what was asked for, with its next times", async () => {
    const asked = nightly({
      input: { night: "${schedule.due_at}", list: [1, null] },
      overlap: OverlapPolicy.CANCEL_OTHER,
      catchUpWindow: durationFromMs(3_600_000),
      jitter: durationFromMs(60_000),
      startAt: timestampFromMs(Date.parse("2030-03-30T00:00:00Z")),
      endAt: timestampFromMs(Date.parse("2030-04-01T12:00:00Z")),
      maxStarts: 7n,
    });
    const { schedule } = await client.createSchedule({ schedule: asked });
    const { nextTimes, createdAt, progress, ...rest } = schedule!;
    const { nextTimes: _nextTimes, createdAt: _createdAt, progress: _progress, ...wanted } = asked;
    expect(rest).toEqual({ ...wanted, namespace: "default" });
    expect(createdAt).toBeDefined();
    expect(progress).toMatchObject({ started: 0n, skipped: 0n, failed: 0n });
    // 31 March 2030 has no 02:30 and no 02:00 in Berlin: the clocks go from two to three.
    const whole = nextTimes.map(({ seconds }) => Number(seconds) * 1_000 - Date.parse("2030-03-30T01:00:00Z"));
    expect(whole.map((ms) => Math.floor(ms / 60_000))).toEqual([0, 24 * 60, 47 * 60]);
    expect((await client.getSchedule({ scheduleId: "nightly" })).schedule).toEqual(schedule);
  });

  it("is done once for a request id, and refused for another schedule of that id", async () => {
    const request = { schedule: nightly(), requestId: "r-1" };
    const { schedule } = await client.createSchedule(request);
    expect((await client.createSchedule(request)).schedule).toEqual(schedule);
    for (const requestId of ["r-2", ""]) {
      await expect(client.createSchedule({ schedule: nightly(), requestId })).rejects.toMatchObject({
        kind: "already_exists",
        reason: "SCHEDULE_EXISTS",
      });
    }
  });

  it.each<[string, MessageInitShape<typeof ScheduleSchema>, string, string]>([
    ["a bad cron", { spec: { case: "cron", value: "0 25 * * *" } }, "schedule.cron", "Invalid value for hour: 25"],
    ["an unknown zone", { timeZone: "Europe/Berln" }, "schedule.time_zone", "IANA name"],
    [
      "too often",
      { spec: { case: "interval", value: durationFromMs(10) }, timeZone: "" },
      "schedule.interval",
      "one second",
    ],
    [
      "a zone beside an interval",
      { spec: { case: "interval", value: durationFromMs(5_000) } },
      "schedule.time_zone",
      "for cron",
    ],
    ["an offset beside cron", { offset: durationFromMs(5) }, "schedule.offset", "for an interval"],
    ["no times", { spec: { case: undefined }, timeZone: "" }, "schedule.spec", "is needed"],
    [
      "a time that has passed",
      { spec: { case: "at", value: timestampFromMs(5) }, timeZone: "" },
      "schedule.at",
      "have passed",
    ],
    ["an id of a declared one", { scheduleId: "report/nightly" }, "schedule.schedule_id", "a letter or _"],
    ["no workflow", { workflowId: "" }, "schedule.workflow_id", "the workflow to start"],
    ["an unknown policy", { overlap: 99 as OverlapPolicy }, "schedule.overlap", "BUFFER_ONE"],
    ["a window below zero", { catchUpWindow: durationFromMs(-5) }, "schedule.catch_up_window", "366 days"],
    ["an expression over nothing", { input: { a: "${event.id}" } }, "schedule.input", "schedule.due_at"],
    ["a broken expression", { input: { a: "${schedule." } }, "schedule.input", "}"],
    ["a large input", { input: { a: "x".repeat(70_000) } }, "schedule.input", "at most 65536"],
  ])("teaches about %s", async (_what, fields, field, text) => {
    await expect(client.createSchedule({ schedule: nightly(fields) })).rejects.toMatchObject({
      kind: "invalid_argument",
      reason: "SCHEDULE_INVALID",
      violations: [{ field, description: expect.stringContaining(text) }],
    });
  });

  it("names everything that is wrong at once", async () => {
    const schedule = create(ScheduleSchema, { scheduleId: "a b", jitter: durationFromMs(7_200_000) });
    const error = await client.createSchedule({ schedule }).catch((reason: unknown) => reason);
    const fields = (error as { violations: { field: string }[] }).violations.map(({ field }) => field);
    expect(fields).toEqual(["schedule.schedule_id", "schedule.workflow_id", "schedule.spec"]);
  });
});

it("lists by id, page by page, within the namespace", async () => {
  for (const scheduleId of ["c", "a", "b"]) await client.createSchedule({ schedule: nightly({ scheduleId }) });
  await client.createSchedule({ schedule: nightly({ scheduleId: "z", namespace: "other" }) });
  const first = await client.listSchedules({ pageSize: 2 });
  const second = await client.listSchedules({ pageSize: 2, pageToken: first.nextPageToken });
  expect([first, second].map(({ schedules }) => schedules.map(({ scheduleId }) => scheduleId))).toEqual([
    ["a", "b"],
    ["c"],
  ]);
  expect(second.nextPageToken).toBe("");
});

it("pauses and lets go on, and has no next times meanwhile", async () => {
  await client.createSchedule({ schedule: nightly() });
  for (const paused of [true, true, false]) {
    const { schedule } = await client.pauseSchedule({ scheduleId: "nightly", paused });
    expect(schedule).toMatchObject({ paused });
    expect(schedule?.nextTimes).toHaveLength(paused ? 0 : 10);
  }
});

it("deletes what calls created, and leaves to definitions what they declare", async () => {
  await client.createSchedule({ schedule: nightly() });
  await client.createSchedule({ schedule: nightly({ scheduleId: "declared" }) });
  await test.database.query({ text: "update schedules set declared_by = 'report' where schedule_id = 'declared'" });
  await client.deleteSchedule({ scheduleId: "nightly" });
  for (const call of [client.deleteSchedule, client.getSchedule, client.pauseSchedule]) {
    await expect(call({ scheduleId: "nightly" })).rejects.toMatchObject({
      kind: "not_found",
      reason: "SCHEDULE_NOT_FOUND",
    });
  }
  await expect(client.deleteSchedule({ scheduleId: "declared" })).rejects.toMatchObject({
    kind: "failed_precondition",
    reason: "SCHEDULE_DECLARED",
  });
});
