import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { openBus, runProcess } from "@heddle/service-process";
import { executionConfig } from "./config.ts";
import { createExecutionService } from "./service.ts";
import { executionMigrations } from "./store/migrations.ts";

await runProcess({
  name: "execution",
  config: executionConfig,
  store: { schema: "execution", migrations: executionMigrations },
  compose({ config, owner, address, database, connect, dial, logger, metrics, onClose }) {
    const bus = openBus({ brokers: config.KAFKA_BROKERS, clientId: "execution", logger, metrics });
    onClose(() => bus.close());
    return createExecutionService({
      database,
      definition: connect(config.HEDDLE_DEFINITION_ADDRESS, [DefinitionService]),
      // Its links are streams, which open themselves again.
      scheduler: connect(config.HEDDLE_SCHEDULER_ADDRESS, []),
      dial,
      owner,
      address,
      bus,
      sinks: [bus],
      logger,
      metrics,
    });
  },
});
