export { executionConfig } from "./config.ts";
export { createExecutionService, type ExecutionService, type ExecutionServiceOptions } from "./service.ts";
export { executionMigrations } from "./store/migrations.ts";
