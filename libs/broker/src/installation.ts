import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { defaultInstallDirectory } from "./config.ts";

/** The version that pom.xml names. */
export const KAFKA_VERSION = "4.4.0";

/** A folder with everything that a broker is started from. Brokers only read it. */
export interface KafkaInstallation {
  dir: string;
  /** Of Kafka. */
  version: string;
}

/** What is in the folder of an installation. */
export const PARTS = {
  jars: "lib",
  /** A formatted data directory, copied for each new broker. */
  formatted: "formatted",
  /** Where the log goes, and how much of it. */
  logging: "log4j2.properties",
} as const;

/** Undefined when nothing is installed there. */
export function findInstallation(dir?: string): KafkaInstallation | undefined {
  const found = installationAt(dir);
  return existsSync(join(found.dir, PARTS.formatted)) ? found : undefined;
}

/** What will be the installation, whether it is there already or not. */
export function installationAt(dir = defaultInstallDirectory(KAFKA_VERSION)): KafkaInstallation {
  return { dir: resolve(dir), version: KAFKA_VERSION };
}

/**
 * The class path, relative to the folder: a class archive is used only with the very string that it was made with, and
 * this one survives that the folder is moved. Listed by name, because a wildcard stands for whatever order the disk gives.
 */
export function classPath(dir: string): string {
  return readdirSync(join(dir, PARTS.jars))
    .filter((name) => name.endsWith(".jar"))
    .sort()
    .map((name) => `${PARTS.jars}/${name}`)
    .join(":");
}
