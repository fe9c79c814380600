export { stateMachineConfig } from "./config.ts";
export { createStateMachineService, type StateMachineService, type StateMachineServiceOptions } from "./service.ts";
export { stateMachineMigrations } from "./store/migrations.ts";
