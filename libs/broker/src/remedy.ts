import { findInstallation } from "./installation.ts";
import { findJava, hasMaven, MIN_JAVA, type Java } from "./java.ts";

/** How to get both, where that is one line. */
const HOW = {
  linux: "apt-get install -y --no-install-recommends openjdk-17-jre-headless maven",
  darwin: "brew install openjdk@17 maven",
};

/**
 * What is missing to run Kafka here and how to get it, in one sentence; undefined when all is there. Maven is only
 * needed to install. Looks at this machine only: whether a download would succeed shows when it is made.
 */
export function findKafkaRemedy(options: { installDir?: string } = {}): string | undefined {
  const installed = findInstallation(options.installDir) !== undefined;
  return describeMissing(findJava(), installed || hasMaven());
}

/** The sentence of `findKafkaRemedy` for what was found. */
export function describeMissing(java: Java | undefined, maven: boolean): string | undefined {
  const missing: string[] = [];
  if (java === undefined) missing.push(`Java ${MIN_JAVA} or newer`);
  else if (java.major < MIN_JAVA) missing.push(`Java ${MIN_JAVA} or newer (${java.path} is Java ${java.major})`);
  if (!maven) missing.push("Maven (mvn)");
  if (missing.length === 0) return undefined;
  const how = process.platform === "darwin" ? HOW.darwin : HOW.linux;
  return `Kafka needs ${missing.join(" and ")}: install with \`${how}\``;
}
