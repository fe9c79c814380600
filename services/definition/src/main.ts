import { createSqlPoisonStore } from "@heddle/events";
import { openBus, runProcess } from "@heddle/service-process";
import { definitionConfig } from "./config.ts";
import { createDefinitionService } from "./service.ts";
import { definitionMigrations } from "./store/migrations.ts";

await runProcess({
  name: "definition",
  config: definitionConfig,
  store: { schema: "definition", migrations: definitionMigrations },
  async compose(context) {
    const { database, logger } = context;
    const bus = await openBus("definition", context, { parkRefused: createSqlPoisonStore(database).park });
    return createDefinitionService({ database, sinks: [bus], logger });
  },
});
