export { findKafkaBroker, type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from "./broker.ts";
export { findFreePort } from "./free-port.ts";
export { installKafka, type InstallKafkaOptions } from "./install.ts";
export { KAFKA_VERSION, type KafkaInstallation } from "./installation.ts";
export { findKafkaRemedy } from "./remedy.ts";
export { createRunDirectory, endRun, endRunsOfTheDead } from "./run-directory.ts";
