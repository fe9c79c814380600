import { existsSync } from "node:fs";
import { findKafkaBroker } from "@heddle/broker";
import { startEmbeddedPostgres } from "@heddle/store";
import { pathsOf, type UpConfig } from "./paths.ts";
import { signalProcess } from "./process-identity.ts";
import { createServiceProcess } from "./service-process.ts";
import { createCluster } from "./start-cluster.ts";
import { readState, removeState } from "./state-file.ts";

/**
 * Ends exactly what `make up` has started: the processes that it noted, and its Postgres and Kafka. Data and logs stay.
 * Resolves with the number of processes that still ran.
 */
export async function down(
  config: Pick<UpConfig, "HEDDLE_DATA_DIR">,
  say: (line: string) => void,
  { andServers = true }: { andServers?: boolean } = {},
): Promise<number> {
  const paths = pathsOf(config);
  const state = readState(paths.state);
  if (state === undefined) return 0;
  // A `make up` at work would start more behind our back.
  if (state.starter !== undefined && state.starter.pid !== process.pid) signalProcess(state.starter, "SIGKILL");
  const processes = state.processes.map(({ spec, identity }) => createServiceProcess({ ...spec, env: {} }, identity));
  const running = processes.filter(({ identity }) => identity !== undefined);
  if (running.length > 0) say(`ending ${running.map(({ name }) => name).join(", ")}`);
  await createCluster(processes).stop();
  if (andServers) {
    if (state.kafka !== undefined) await findKafkaBroker(state.kafka.dir)?.stop();
    if (state.postgres !== undefined) await stopPostgres(state.postgres.dataDir);
  }
  removeState(paths.state);
  return running.length;
}

async function stopPostgres(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return;
  // Adopts the one that runs. One that does not is started first, which also repairs what a crash of the machine left.
  const postgres = await startEmbeddedPostgres({ dataDir });
  await postgres.stop();
}
