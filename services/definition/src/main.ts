import { openBus, runProcess } from "@heddle/service-process";
import { definitionConfig } from "./config.ts";
import { createDefinitionService } from "./service.ts";
import { definitionMigrations } from "./store/migrations.ts";

await runProcess({
  name: "definition",
  config: definitionConfig,
  store: { schema: "definition", migrations: definitionMigrations },
  compose({ config, database, logger, metrics, onClose }) {
    const bus = openBus({ brokers: config.KAFKA_BROKERS, clientId: "definition", logger, metrics });
    onClose(() => bus.close());
    return createDefinitionService({ database, sinks: [bus], logger });
  },
});
