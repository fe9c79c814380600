import { defineConfig } from "@heddle/config";
import { addressSetting, edgeTlsSettings, serverSettings, servicePorts } from "@heddle/service-process";

/** Everything that the gateway reads from the environment. */
export const gatewayConfig = defineConfig({
  ...serverSettings(servicePorts.gateway),
  ...edgeTlsSettings,
  HEDDLE_DEFINITION_ADDRESS: addressSetting("definition", servicePorts.definition),
  HEDDLE_EXECUTION_ADDRESS: addressSetting("execution", servicePorts.execution),
  HEDDLE_SCHEDULER_ADDRESS: addressSetting("scheduler", servicePorts.scheduler),
  HEDDLE_STATEMACHINE_ADDRESS: addressSetting("statemachine", servicePorts.statemachine),
});
