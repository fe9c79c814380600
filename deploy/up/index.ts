export { type ClusterOptions, planCluster } from "./plan-cluster.ts";
export { findProcess, type ProcessIdentity } from "./process-identity.ts";
export { createServiceProcess, type ProcessSpec, type ServiceProcess } from "./service-process.ts";
export type { ServiceName } from "./services.ts";
export { type Cluster, startCluster } from "./start-cluster.ts";
export { startProcess, type StartProcessOptions } from "./start-process.ts";
