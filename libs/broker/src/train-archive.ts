import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBrokerProcess, openBrokerDirectory, prepareData } from "./broker-directory.ts";
import { PARTS } from "./installation.ts";
import type { Java } from "./java.ts";
import { classArchive } from "./jvm.ts";
import { launchBroker } from "./launch.ts";
import { stopProcess } from "./stop-process.ts";

/** Runs a broker once and has the JVM write the classes that it loaded to an archive in the installation: 50 MB, 10 s. */
export async function trainArchive(installation: string, java: Java): Promise<void> {
  const directory = openBrokerDirectory(mkdtempSync(join(tmpdir(), "heddle-kafka-training-")));
  const archive = classArchive(java);
  const unfinished = `${archive}.${process.pid}`;
  try {
    prepareData(directory, join(installation, PARTS.formatted));
    await launchBroker({ installation, java, archive: { write: unfinished }, directory });
    const pid = findBrokerProcess(directory);
    if (pid !== undefined) await stopProcess(pid);
    renameSync(join(installation, unfinished), join(installation, archive));
  } finally {
    rmSync(directory.root, { recursive: true, force: true });
  }
}
