import { defineConfig } from "@heddle/config";
import { serverSettings, servicePorts } from "@heddle/service-process";

/** Everything that the statemachine service reads from the environment. */
export const stateMachineConfig = defineConfig(serverSettings(servicePorts.statemachine));
