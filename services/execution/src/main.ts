import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { createSqlPoisonStore } from "@heddle/events";
import { openBus, runProcess } from "@heddle/service-process";
import { executionConfig, retentionOf } from "./config.ts";
import { createExecutionService } from "./service.ts";
import { executionMigrations } from "./store/migrations.ts";

await runProcess({
  name: "execution",
  config: executionConfig,
  store: { schema: "execution", migrations: executionMigrations },
  async compose(context) {
    const { config, owner, address, database, connect, dial, logger, metrics, fail } = context;
    const bus = await openBus("execution", context, { parkRefused: createSqlPoisonStore(database).park });
    return createExecutionService({
      database,
      definition: connect(config.HEDDLE_DEFINITION_ADDRESS, [DefinitionService]),
      // Its links are streams, which open themselves again.
      scheduler: connect(config.HEDDLE_SCHEDULER_ADDRESS, []),
      // Machines are asked for only by nodes of that kind: without the service everything else runs.
      statemachine: connect(config.HEDDLE_STATEMACHINE_ADDRESS, []),
      dial,
      owner,
      address,
      bus,
      cloudEvents: { topics: config.HEDDLE_EVENT_TOPICS ?? [], namespace: config.HEDDLE_EVENT_NAMESPACE },
      sinks: [bus],
      logger,
      metrics,
      retention: retentionOf(config),
      onSuperseded: fail,
    });
  },
});
