import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { withFileLock } from "./file-lock.ts";
import { findInstallation, installationAt, PARTS, type KafkaInstallation } from "./installation.ts";
import { type Java, findJava } from "./java.ts";
import { classArchive, javaArguments } from "./jvm.ts";
import { brokerLimits } from "./limits.ts";
import { findKafkaRemedy } from "./remedy.ts";
import { formatProperties, serverSettings } from "./server-properties.ts";
import { trainArchive } from "./train-archive.ts";

export interface InstallKafkaOptions {
  /** Default: HEDDLE_KAFKA_DIR, else `.cache/kafka-<version>` of the repository. */
  dir?: string;
  /** Told what takes seconds, before it is done. */
  onProgress?: (message: string) => void;
}

/**
 * Fetches Kafka with Maven (44 jars, 43 MB; 65 MB of an empty local repository), formats a data directory to copy from,
 * and trains an archive of classes for the Java that is here. What is there already is left as it is, and of several
 * processes one works while the others wait. Rejects with the remedy when Java or Maven are missing.
 */
export async function installKafka({ dir, onProgress }: InstallKafkaOptions = {}): Promise<KafkaInstallation> {
  const installation = installationAt(dir);
  const remedy = findKafkaRemedy({ installDir: installation.dir });
  const java = findJava();
  if (remedy !== undefined || java === undefined) throw new Error(remedy);
  const archive = join(installation.dir, classArchive(java));
  if (isComplete(installation.dir, archive)) return installation;
  mkdirSync(dirname(installation.dir), { recursive: true });
  return await withFileLock(`${installation.dir}.lock`, async () => {
    if (findInstallation(installation.dir) === undefined) {
      onProgress?.(`fetching Apache Kafka ${installation.version} with Maven into ${installation.dir}`);
      await replace(installation.dir, (folder) => fill(folder, java));
    }
    if (!existsSync(archive)) {
      onProgress?.("training the class archive, so that brokers start twice as fast");
      await trainArchive(installation.dir, java);
    }
    return installation;
  });
}

function isComplete(dir: string, archive: string): boolean {
  return findInstallation(dir) !== undefined && existsSync(archive);
}

/** Builds a folder beside the target and moves it there when it is whole: a crash leaves no half installation. */
async function replace(target: string, build: (folder: string) => Promise<void>): Promise<void> {
  removeUnfinished(target);
  const folder = mkdtempSync(`${target}-`);
  try {
    await build(folder);
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What installs that were killed have left: nobody else builds, as this one holds the lock. */
function removeUnfinished(target: string): void {
  for (const name of readdirSync(dirname(target))) {
    if (!name.startsWith(`${basename(target)}-`)) continue;
    // Maven may outlive whoever started it, and still write there.
    rmSync(join(dirname(target), name), { recursive: true, force: true, maxRetries: 10 });
  }
}

async function fill(folder: string, java: Java): Promise<void> {
  const source = dirname(import.meta.dirname);
  copyFileSync(join(source, PARTS.logging), join(folder, PARTS.logging));
  await fetchJars(join(source, "pom.xml"), join(folder, PARTS.jars));
  const properties = join(folder, "format.properties");
  const formatted = join(folder, PARTS.formatted);
  writeFileSync(properties, formatProperties(serverSettings({ port: 1, controllerPort: 2, dataDir: formatted })));
  // By hand-written files the broker would start too, but without features such as the newer group protocol.
  const format = ["kafka.tools.StorageTool", "format", "--cluster-id", clusterId(), "--config", properties];
  await run(java.path, javaArguments(folder, undefined, format), folder, brokerLimits.prepareMs);
  rmSync(properties);
}

async function fetchJars(pom: string, target: string): Promise<void> {
  const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${target}`];
  await run("mvn", ["--batch-mode", "--quiet", "--file", pom, ...goal], dirname(target), brokerLimits.downloadMs);
}

/** Kafka's own form of a UUID. */
function clusterId(): string {
  return Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
}

async function run(file: string, args: string[], cwd: string, timeout: number): Promise<void> {
  try {
    await promisify(execFile)(file, args, { cwd, timeout, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stdout = "", stderr = "", killed } = error as { stdout?: string; stderr?: string; killed?: boolean };
    const said = `${stdout}${stderr}`.trim().split("\n").slice(0, 12).join("\n") || String(error);
    const what = killed ? `took longer than ${timeout} ms` : "failed";
    throw new Error(
      `${file} ${what} while Apache Kafka was installed (it needs Maven Central or a mirror in ~/.m2/settings.xml):\n${said}`,
      { cause: error },
    );
  }
}
