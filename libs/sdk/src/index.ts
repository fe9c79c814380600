export { createClient, type Client, type CreateClientOptions } from "./client/client.ts";
export type { CallOptions } from "./client/call.ts";
export type { Definition, DefinitionVersion, Finding, PlanSummary } from "./client/definition.ts";
export type {
  DefinitionFilter,
  DefinitionSource,
  PublishRequest,
  PublishResult,
  ValidationResult,
} from "./client/definitions-client.ts";
export { isFinished } from "./client/execution.ts";
export type { Execution, ExecutionStatus, NodeExecution, NodeStatus, SearchAttributes } from "./client/execution.ts";
export type { ExecutionEvent } from "./client/execution-event.ts";
export { ExecutionUpdateError } from "./client/execution-update-error.ts";
export type { UpdateWithoutReply } from "./client/execution-update-error.ts";
export { ExecutionFailedError } from "./client/execution-failed-error.ts";
export type { AttributeFilter } from "./client/attribute-filter.ts";
export type {
  Batch,
  BatchesClient,
  BatchOperation,
  BatchStatus,
  CreateBatchRequest,
} from "./client/batches-client.ts";
export type { DryRun, NodeDryRun, RunReason } from "./client/dry-run.ts";
export type { ExecutionTarget } from "./client/execution-target.ts";
export type {
  ExecutionFilter,
  RerunRequest,
  StartRequest,
  StartSignal,
} from "./client/executions-client.ts";
export type { Incident, IncidentFilter, IncidentResolution } from "./client/incident.ts";
export type { HumanTask, HumanTaskAnswer, HumanTaskStatus } from "./client/human-task.ts";
export type { HumanAction, HumanTaskFilter, HumanTasksClient } from "./client/human-tasks-client.ts";
export type { Machine, MachineStatus } from "./client/machine.ts";
export type { MachineEvent } from "./client/machine-event.ts";
export type {
  CreateMachineRequest,
  MachineFilter,
  MachineMigration,
  MachineName,
  MachinesClient,
  MigrateRequest,
} from "./client/machines-client.ts";
export type { Page } from "./client/pages.ts";
export { PayloadReference, type Failure } from "./client/plain.ts";
export type { ConnectedWorker, Queue, WaitExplanation, WaitReasonKind } from "./client/queue.ts";
export type { CreateScheduleRequest, OverlapPolicy, Schedule, ScheduleTimes } from "./client/schedule.ts";
export type { WatchOptions } from "./client/watch.ts";
export type { Json, JsonObject } from "./json.ts";
export { DEFAULT_WORKER_LIMITS, type WorkerLimits } from "./limits.ts";
export type { HandlerDefinition, Handlers, TaskContext, TaskHandler } from "./worker/handler.ts";
export { BusinessError, TaskError, type TaskErrorOptions } from "./worker/task-error.ts";
export { createWorker, type CreateWorkerOptions, type Worker, type WorkerStats } from "./worker/worker.ts";
export type { TlsOptions } from "@heddle/rpc";
