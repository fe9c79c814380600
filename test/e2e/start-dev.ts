import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "@heddle/store";
import { type DevProcess, startDev as start, type StartDevOptions } from "@heddle/dev";

export interface TestDevProcess extends DevProcess {
  dataDir: string;
}

/** The one-process suite on a free port, with data of its own that `disposeDev` removes. */
export async function startDev(options: StartDevOptions = {}): Promise<TestDevProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "heddle-dev-")));
  return { ...(await start({ ...options, dataDir })), dataDir };
}

/** Ends the process and its Postgres, and removes its data. */
export async function disposeDev(dev: TestDevProcess): Promise<void> {
  if (dev.child.exitCode === null && dev.child.signalCode === null) await dev.stop();
  // The server outlives the suite on purpose: adopt it once more to end it.
  const postgres = await startEmbeddedPostgres({ dataDir: join(dev.dataDir, "postgres") });
  await postgres.stop();
  // Elsewhere when the data directory cannot be reached by the user that Postgres runs as.
  await rm(postgres.dataPath, { recursive: true, force: true });
  await rm(dev.dataDir, { recursive: true, force: true });
}
