import { defineConfig, oneOf } from "@heddle/config";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { defineMigrations } from "@heddle/store";
import { databaseSettings, runProcess, serverSettings } from "../src/index.ts";

// A service that does nothing but what every process does; BEHAVIOUR makes it fail in one of several ways.
const migrations = defineMigrations([
  {
    name: "0001_create_things",
    up: (knex) => knex.schema.createTable("things", (table) => table.increments()),
    down: (knex) => knex.schema.dropTable("things"),
  },
]);

await runProcess({
  name: "example",
  config: defineConfig({
    ...serverSettings(0),
    ...databaseSettings,
    BEHAVIOUR: oneOf(["serve", "reject", "throw", "refuse-to-stop"], { doc: "What to do wrong.", default: "serve" }),
  }),
  store: { schema: "example", migrations },
  compose({ config, logger, onClose, address }) {
    onClose(() => logger.info("closed first opened"));
    onClose(() => logger.info("closed last opened"));
    return {
      routes: (router) => router.service(DefinitionService, { getPlan: () => ({ planJson: address }) }),
      async start() {
        logger.info("started");
        if (config.BEHAVIOUR === "reject") setTimeout(() => void Promise.reject(new TypeError("nobody handled it")), 1);
        if (config.BEHAVIOUR === "throw") throw new TypeError("start failed");
      },
      async stop() {
        logger.info("stopped");
        if (config.BEHAVIOUR === "refuse-to-stop") throw new TypeError("stop failed");
      },
    };
  },
});
