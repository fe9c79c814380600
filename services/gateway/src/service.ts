import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { DiagnosticsService as ExecutionDiagnostics } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { DiagnosticsService as SchedulerDiagnostics } from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { DiagnosticsService as MachineDiagnostics } from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { Routes, RpcLimits, RpcTransport, ValidationOptions } from "@heddle/rpc";
import { GATEWAY_LIMITS } from "./limits.ts";
import { passOn } from "./pass-on.ts";

/** Ways to the services behind the edge. */
export interface GatewayServiceOptions {
  definition: RpcTransport;
  execution: RpcTransport;
  scheduler: RpcTransport;
  statemachine: RpcTransport;
}

export interface Gateway {
  routes: Routes;
  validation: ValidationOptions;
  limits: Partial<RpcLimits>;
}

/**
 * The edge: every public service on one port. It decides nothing: calls are passed on with the caller's deadline, trace and
 * credentials, and checked where they arrive.
 */
export function createGatewayService(options: GatewayServiceOptions): Gateway {
  const { definition, execution, scheduler, statemachine } = options;
  return {
    routes(router) {
      router.service(DefinitionService, passOn(DefinitionService, { name: "definition", transport: definition }));
      router.service(ExecutionService, passOn(ExecutionService, { name: "execution", transport: execution }));
      router.service(BatchService, passOn(BatchService, { name: "execution", transport: execution }));
      router.service(HumanTaskService, passOn(HumanTaskService, { name: "execution", transport: execution }));
      router.service(SchedulerService, passOn(SchedulerService, { name: "scheduler", transport: scheduler }));
      // For `heddle doctor`: whoever may reach the edge may look, and looking changes nothing.
      router.service(ExecutionDiagnostics, passOn(ExecutionDiagnostics, { name: "execution", transport: execution }));
      router.service(SchedulerDiagnostics, passOn(SchedulerDiagnostics, { name: "scheduler", transport: scheduler }));
      router.service(MachineDiagnostics, passOn(MachineDiagnostics, { name: "statemachine", transport: statemachine }));
      router.service(WorkerService, passOn(WorkerService, { name: "scheduler", transport: scheduler }));
      router.service(
        StateMachineService,
        passOn(StateMachineService, { name: "statemachine", transport: statemachine }),
      );
    },
    // The service that answers checks each request; twice would only cost.
    validation: { skip: () => true },
    limits: GATEWAY_LIMITS,
  };
}
