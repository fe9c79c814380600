export { type BusValues, openBus } from "./open-bus.ts";
export { EXIT_CONFIG, EXIT_FAILURE, runProcess, type StatefulOptions, type StatelessOptions } from "./run-process.ts";
export type { ProcessContext, ServiceParts } from "./serve.ts";
export {
  addressSetting,
  busSettings,
  databaseSettings,
  edgeTlsSettings,
  replicaSettings,
  serverSettings,
  servicePorts,
} from "./settings.ts";
