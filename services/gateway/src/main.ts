import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { runProcess } from "@heddle/service-process";
import { gatewayConfig } from "./config.ts";
import { createGatewayService } from "./service.ts";

await runProcess({
  name: "gateway",
  config: gatewayConfig,
  compose: ({ config, connect }) =>
    createGatewayService({
      definition: connect(config.HEDDLE_DEFINITION_ADDRESS, [DefinitionService]),
      execution: connect(config.HEDDLE_EXECUTION_ADDRESS, [ExecutionService]),
      scheduler: connect(config.HEDDLE_SCHEDULER_ADDRESS, [SchedulerService]),
      statemachine: connect(config.HEDDLE_STATEMACHINE_ADDRESS, [StateMachineService]),
    }),
});
