import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { DiagnosticsService as ExecutionDiagnostics } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { DiagnosticsService as SchedulerDiagnostics } from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { DiagnosticsService as MachineDiagnostics } from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createEdgeTransport, createRpcClient, type RpcClient, type TlsOptions } from "@heddle/rpc";

/** The services as their protos say: the command shows every field, and asks for none that they do not have. */
export interface CliClient {
  definitions: RpcClient<typeof DefinitionService>;
  executions: RpcClient<typeof ExecutionService>;
  batches: RpcClient<typeof BatchService>;
  humanTasks: RpcClient<typeof HumanTaskService>;
  scheduler: RpcClient<typeof SchedulerService>;
  machines: RpcClient<typeof StateMachineService>;
  /** What the services find when they look at themselves. */
  executionDiagnostics: RpcClient<typeof ExecutionDiagnostics>;
  schedulerDiagnostics: RpcClient<typeof SchedulerDiagnostics>;
  machineDiagnostics: RpcClient<typeof MachineDiagnostics>;
  close(): void;
}

/** Connects at the first call. */
export function createCliClient(address: string, tls: TlsOptions): CliClient {
  const transport = createEdgeTransport(address, { tls });
  return {
    definitions: createRpcClient(DefinitionService, transport),
    executions: createRpcClient(ExecutionService, transport),
    batches: createRpcClient(BatchService, transport),
    humanTasks: createRpcClient(HumanTaskService, transport),
    scheduler: createRpcClient(SchedulerService, transport),
    machines: createRpcClient(StateMachineService, transport),
    executionDiagnostics: createRpcClient(ExecutionDiagnostics, transport),
    schedulerDiagnostics: createRpcClient(SchedulerDiagnostics, transport),
    machineDiagnostics: createRpcClient(MachineDiagnostics, transport),
    close: () => transport.close(),
  };
}
