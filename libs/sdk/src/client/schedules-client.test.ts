import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import {
  OverlapPolicy,
  ScheduleSchema,
  SchedulerService,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";
import type { Schedule } from "../index.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";

it("creates and tells schedules in plain data", async () => {
  const asked: MessageInitShape<typeof ScheduleSchema> = {
    namespace: "sales",
    scheduleId: "nightly",
    workflowId: "report",
    spec: { case: "cron", value: "0 2 * * *" },
    timeZone: "Europe/Berlin",
    overlap: OverlapPolicy.BUFFER_ONE,
    catchUpWindow: { seconds: 3600n },
    maxStarts: 3n,
  };
  const schedule = create(ScheduleSchema, {
    ...asked,
    nextTimes: [timestampFromDate(new Date("2030-01-01T01:00:00Z"))],
    progress: { started: 2n, lastExecutionId: ID, runningExecutionIds: [ID] },
  });
  const requests: unknown[] = [];
  const client = clientOf((router) =>
    router.service(SchedulerService, {
      createSchedule(request) {
        requests.push(request);
        if (requests.length === 1)
          throw new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
        return { schedule };
      },
      pauseSchedule: ({ scheduleId, paused }) => ({ schedule: { ...schedule, scheduleId, paused } }),
      listSchedules: ({ pageToken }) => ({ schedules: [schedule], nextPageToken: pageToken === "" ? "t" : "" }),
    }),
  );
  const created = await client.createSchedule({
    scheduleId: "nightly",
    workflowId: "report",
    times: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
    overlap: "buffer_one",
    catchUpWindowMs: 3_600_000,
    maxStarts: 3,
  });
  expect(requests).toMatchObject([{ schedule: asked }, { schedule: asked }]);
  expect(new Set(requests.map((request) => (request as { requestId: string }).requestId)).size).toBe(1);
  expect(created).toMatchObject({
    times: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
    overlap: "buffer_one",
    catchUpWindowMs: 3_600_000,
    nextTimes: [new Date("2030-01-01T01:00:00Z")],
    started: 2,
    lastExecutionId: ID,
  });
  expect(await client.pauseSchedule("a")).toMatchObject({ scheduleId: "a", paused: true });
  expect(await client.resumeSchedule("a")).toMatchObject({ paused: false });
  const listed: Schedule[] = [];
  for await (const each of client.listSchedules()) listed.push(each);
  expect(listed).toHaveLength(2);
});
