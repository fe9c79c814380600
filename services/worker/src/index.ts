export { workerConfig, type WorkerConfig } from "./config.ts";
export { createWorkerService, type CreateWorkerServiceOptions, type WorkerService } from "./service.ts";
