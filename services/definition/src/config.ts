import { defineConfig } from "@heddle/config";
import { busSettings, databaseSettings, serverSettings, servicePorts } from "@heddle/service-process";

/** Everything that the definition service reads from the environment. */
export const definitionConfig = defineConfig({
  ...serverSettings(servicePorts.definition),
  ...databaseSettings,
  ...busSettings,
});
