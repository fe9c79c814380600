export { schedulerConfig } from "./config.ts";
export { createSchedulerService, type SchedulerServer, type SchedulerServiceDeps } from "./service.ts";
export { defaultLimits, type SchedulerLimits } from "./limits.ts";
export type { Clock } from "./turn.ts";
export { schedulerMigrations } from "../migrations/index.ts";
