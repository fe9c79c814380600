import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EmbeddedPostgres, openDatabase, startEmbeddedPostgres } from "@heddle/store";

/** A real Postgres server of the run's own, durable as in production, that can be stopped at any moment. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** `pg_ctl stop -m immediate`: every backend ends at once, nothing is flushed, the next start recovers. */
  stopImmediately(): Promise<void>;
  /** Resolves when it serves again: same port, same data. */
  start(): Promise<void>;
  /** Ends up to `count` client connections, chosen by the server's own randomness. Resolves with how many it were. */
  terminateBackends(count: number): Promise<number>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

const POLL_MS = 5;

/** What its log says beyond the usual: statements that waited for a lock, or took long. */
const LOGGING = { log_lock_waits: "on", log_min_duration_statement: 1_000, log_line_prefix: "%m [%p] %a " };

/** @param logs its log stays there when everything else of it is removed */
export async function startPostgres(dataDir: string, logs: string): Promise<PostgresServer> {
  const options = { dataDir, settings: LOGGING };
  let server: EmbeddedPostgres = await startEmbeddedPostgres(options);
  const { url, port } = server;

  return {
    url,
    port,
    async stopImmediately() {
      process.kill(server.pid, "SIGQUIT");
      while (isAlive(server.pid)) await sleep(POLL_MS);
    },
    async start() {
      server = await startEmbeddedPostgres({ ...options, port });
    },
    async terminateBackends(count) {
      const database = openDatabase({ url, schema: "public", maxConnections: 1, applicationName: "chaos" });
      try {
        const { rows } = await database.query<{ ended: number }>({
          text: `select count(pg_terminate_backend(pid))::int as ended from (
              select pid from pg_stat_activity
              where backend_type = 'client backend' and application_name <> 'chaos' order by random() limit $1
            ) as chosen`,
          values: [count],
        });
        return rows[0]?.ended ?? 0;
      } catch {
        // The server is down, by another fault.
        return 0;
      } finally {
        await database.close();
      }
    },
    async dispose() {
      await server.stop();
      await copyFile(join(dataDir, "postgres.log"), join(logs, "postgres.log"));
      await rm(server.dataPath, { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
