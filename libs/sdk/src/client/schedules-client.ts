import { randomUUID } from "node:crypto";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { PAGE_SIZE } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import { eachItem } from "./pages.ts";
import { present } from "./present.ts";
import { plainSchedule, scheduleMessage, type CreateScheduleRequest, type Schedule } from "./schedule.ts";

export interface SchedulesClient {
  /** @throws DomainError `SCHEDULE_EXISTS`, `SCHEDULE_INVALID` with one violation for each field */
  createSchedule(request: CreateScheduleRequest, options?: CallOptions): Promise<Schedule>;
  /** @throws DomainError `SCHEDULE_NOT_FOUND` */
  getSchedule(scheduleId: string, options?: CallOptions): Promise<Schedule>;
  /** By id, those that definitions declare included. */
  listSchedules(options?: CallOptions): AsyncGenerator<Schedule, void, undefined>;
  /** Times that pass from now on are left out. @throws DomainError `SCHEDULE_NOT_FOUND` */
  pauseSchedule(scheduleId: string, options?: CallOptions): Promise<Schedule>;
  /** @throws DomainError `SCHEDULE_NOT_FOUND` */
  resumeSchedule(scheduleId: string, options?: CallOptions): Promise<Schedule>;
  /** Executions that it started go on. @throws DomainError `SCHEDULE_NOT_FOUND`, `SCHEDULE_DECLARED` */
  deleteSchedule(scheduleId: string, options?: CallOptions): Promise<void>;
}

export function createSchedulesClient({ transport, namespace, call }: ClientContext): SchedulesClient {
  const rpc = createRpcClient(SchedulerService, transport);

  async function setPaused(scheduleId: string, paused: boolean, options?: CallOptions): Promise<Schedule> {
    const request = { namespace, scheduleId, paused };
    return plainSchedule(present((await call((attempt) => rpc.pauseSchedule(request, attempt), options)).schedule));
  }

  return {
    async createSchedule({ requestId = randomUUID(), ...rest }, options) {
      const request = { schedule: scheduleMessage(namespace, rest), requestId };
      return plainSchedule(present((await call((attempt) => rpc.createSchedule(request, attempt), options)).schedule));
    },
    async getSchedule(scheduleId, options) {
      const request = { namespace, scheduleId };
      return plainSchedule(present((await call((attempt) => rpc.getSchedule(request, attempt), options)).schedule));
    },
    listSchedules: (options) =>
      eachItem(async (pageToken) => {
        const request = { namespace, pageSize: PAGE_SIZE, pageToken };
        const { schedules, nextPageToken } = await call((attempt) => rpc.listSchedules(request, attempt), options);
        return { items: schedules.map(plainSchedule), nextPageToken };
      }),
    pauseSchedule: (scheduleId, options) => setPaused(scheduleId, true, options),
    resumeSchedule: (scheduleId, options) => setPaused(scheduleId, false, options),
    async deleteSchedule(scheduleId, options) {
      await call((attempt) => rpc.deleteSchedule({ namespace, scheduleId }, attempt), options);
    },
  };
}
