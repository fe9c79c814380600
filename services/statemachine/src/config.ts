import { defineConfig } from "@heddle/config";
import {
  addressSetting,
  busSettings,
  databaseSettings,
  replicaSettings,
  serverSettings,
  servicePorts,
} from "@heddle/service-process";

/** Everything that the statemachine service reads from the environment. */
export const stateMachineConfig = defineConfig({
  ...serverSettings(servicePorts.statemachine),
  ...replicaSettings,
  ...databaseSettings,
  ...busSettings,
  HEDDLE_DEFINITION_ADDRESS: addressSetting("definition", servicePorts.definition),
  HEDDLE_EXECUTION_ADDRESS: addressSetting("execution", servicePorts.execution),
});
