import { createSqlPoisonStore } from "@heddle/events";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { openBus, runProcess } from "@heddle/service-process";
import { stateMachineConfig } from "./config.ts";
import { createStateMachineService } from "./service.ts";
import { stateMachineMigrations } from "./store/migrations.ts";

await runProcess({
  name: "statemachine",
  config: stateMachineConfig,
  store: { schema: "statemachine", migrations: stateMachineMigrations },
  async compose(context) {
    const { config, owner, address, database, connect, dial, logger, metrics, fail } = context;
    const bus = await openBus("statemachine", context, { parkRefused: createSqlPoisonStore(database).park });
    return createStateMachineService({
      database,
      definition: connect(config.HEDDLE_DEFINITION_ADDRESS, [DefinitionService]),
      // Asked only by states that invoke something: without the service everything else runs.
      execution: connect(config.HEDDLE_EXECUTION_ADDRESS, [ExecutionService]),
      dial,
      owner,
      address,
      bus,
      sinks: [bus],
      logger,
      metrics,
      onSuperseded: fail,
    });
  },
});
