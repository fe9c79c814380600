import { create } from "@bufbuild/protobuf";
import { type Schedule, ScheduleSchema } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { expect, it } from "vitest";
import { readSchedule } from "./from-proto.ts";

const NOW = Date.UTC(2026, 0, 1);
const nightly = (fields: Parameters<typeof create<typeof ScheduleSchema>>[1]): Schedule =>
  create(ScheduleSchema, {
    scheduleId: "nightly",
    workflowId: "report",
    spec: { case: "cron", value: "0 2 * * *" },
    ...fields,
  });

it("reads times up to the last second of 9999", () => {
  const { spec } = readSchedule(nightly({ endAt: { seconds: 253_402_300_799n } }), NOW);
  expect(spec.timing.endAtMs).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
});

it.each([
  ["start_at", nightly({ startAt: { seconds: -8_640_000_000_001n } })],
  ["start_at", nightly({ startAt: { seconds: 8_640_000_000_001n } })],
  ["end_at", nightly({ endAt: { seconds: 253_402_300_799n, nanos: 999_999_999 } })],
  ["at", nightly({ spec: { case: "at", value: { seconds: 9_000_000_000_000n } } })],
])("refuses %s beyond what a time can be, which the wire does not", (field, schedule) => {
  let fault: unknown;
  try {
    readSchedule(schedule, NOW);
  } catch (error) {
    fault = error;
  }
  expect(fault).toMatchObject({
    reason: "SCHEDULE_INVALID",
    violations: [{ field: `schedule.${field}`, description: "a time from 0001-01-01 to 9999-12-31" }],
  });
});
