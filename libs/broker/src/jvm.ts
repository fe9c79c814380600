import { createHash } from "node:crypto";
import { join } from "node:path";
import { classPath, PARTS } from "./installation.ts";
import type { Java } from "./java.ts";

/**
 * Flags of the broker's JVM. A quick start matters more here than the last third of throughput: the first compiler tier
 * and the serial collector halve the time to ready. The live set is 33 MB; the heap takes no more unless it needs it.
 */
const FLAGS = ["-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"];

/** The archive of loaded classes that Java of this build starts from; without it a start takes twice the CPU. */
export function classArchive(java: Java): string {
  return `classes-${createHash("sha256").update(java.build).digest("hex").slice(0, 12)}.jsa`;
}

/** Arguments for Java in the folder of the installation. `archive`: the archive to use, or to write at the end. */
export function javaArguments(
  installation: string,
  archive: { use: string } | { write: string } | undefined,
  main: readonly string[],
): string[] {
  return [
    ...FLAGS,
    ...(archive === undefined
      ? []
      : ["use" in archive ? `-XX:SharedArchiveFile=${archive.use}` : `-XX:ArchiveClassesAtExit=${archive.write}`]),
    // A fault of the JVM itself is not to litter the installation.
    "-XX:+ErrorFileToStderr",
    `-Dlog4j2.configurationFile=${join(installation, PARTS.logging)}`,
    "-cp",
    classPath(installation),
    ...main,
  ];
}
