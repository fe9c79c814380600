import { defineConfig } from "@heddle/config";
import {
  addressSetting,
  busSettings,
  databaseSettings,
  replicaSettings,
  serverSettings,
  servicePorts,
} from "@heddle/service-process";

/** Everything that the execution service reads from the environment. */
export const executionConfig = defineConfig({
  ...serverSettings(servicePorts.execution),
  ...replicaSettings,
  ...databaseSettings,
  ...busSettings,
  HEDDLE_DEFINITION_ADDRESS: addressSetting("definition", servicePorts.definition),
  HEDDLE_SCHEDULER_ADDRESS: addressSetting("scheduler", servicePorts.scheduler),
  HEDDLE_STATEMACHINE_ADDRESS: addressSetting("statemachine", servicePorts.statemachine),
});
