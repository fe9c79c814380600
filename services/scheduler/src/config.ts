import { defineConfig } from "@heddle/config";
import {
  addressSetting,
  busSettings,
  databaseSettings,
  replicaSettings,
  serverSettings,
  servicePorts,
} from "@heddle/service-process";

/** Everything that the scheduler reads from the environment. */
export const schedulerConfig = defineConfig({
  ...serverSettings(servicePorts.scheduler),
  ...replicaSettings,
  ...databaseSettings,
  ...busSettings,
  HEDDLE_EXECUTION_ADDRESS: addressSetting("execution", servicePorts.execution),
});
