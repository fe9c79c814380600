export { workerConfig, type WorkerConfig, workerSettings } from "./config.ts";
export { createWorkerService, type CreateWorkerServiceOptions, type WorkerService } from "./service.ts";
