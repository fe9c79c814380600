import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { javaHome } from "./config.ts";

export interface Java {
  /** The program. */
  path: string;
  /** Major version. */
  major: number;
  /** Everything that tells this build of Java from another: a class archive is good for exactly one. */
  build: string;
}

/** The oldest Java that the broker runs on. */
export const MIN_JAVA = 17;

/** JAVA_HOME's Java, else the one on PATH. Undefined when there is none; it may be too old. */
export function findJava(): Java | undefined {
  const home = javaHome();
  const path = home === undefined ? "java" : join(home, "bin", "java");
  // It tells its version on standard error.
  const { stderr, status } = spawnSync(path, ["-version"], { encoding: "utf8" });
  return status === 0 ? parseJavaVersion(path, stderr) : undefined;
}

/** Reads what `java -version` says: `openjdk version "17.0.15" 2025-04-15` and two lines about the build. */
export function parseJavaVersion(path: string, text: string): Java | undefined {
  // Up to Java 8 the major version was the second number: 1.8.
  const major = /version "(?:1\.)?(\d+)/.exec(text)?.[1];
  if (major === undefined) return undefined;
  const build = [...text.matchAll(/\(build ([^,)]+)/g)].map(([, name]) => name).join("/");
  return { path, major: Number(major), build };
}

/** Whether Maven can be run. */
export function hasMaven(): boolean {
  return spawnSync("mvn", ["--version"], { stdio: "ignore" }).status === 0;
}
