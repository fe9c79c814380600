import { join } from "node:path";

/** Where Kafka is installed unless a caller says otherwise: HEDDLE_KAFKA_DIR, else the repository's cache of downloads. */
export function defaultInstallDirectory(version: string): string {
  return process.env.HEDDLE_KAFKA_DIR || join(import.meta.dirname, "../../../.cache", `kafka-${version}`);
}

/** The Java that the environment chooses, if it does. */
export function javaHome(): string | undefined {
  return process.env.JAVA_HOME || undefined;
}
