import { existsSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import {
  type EmbeddedPostgres,
  listBinaries,
  listSystemBinaries,
  type PostgresBinaries,
  startEmbeddedPostgres,
} from "@heddle/store";
import pg from "pg";
import { testDatabaseUrl } from "./config.ts";

/** A Postgres that tests run against, shared by all test processes of this account and left running between them. */
export interface TestServer {
  name: string;
  /** What to do to have it, when it is not here; such a suite is to be skipped with this as its reason. */
  remedy?: string;
  /** Starts or adopts it. Resolves to a URL of its maintenance database. */
  url(): Promise<string>;
}

/** The one server for tests that do not care which. */
export function defaultServer(): TestServer {
  const given = testDatabaseUrl();
  if (given !== undefined) return { name: "Postgres of DATABASE_URL_TEST", url: () => Promise.resolve(given) };
  const [binaries] = listBinaries();
  return binaries
    ? embedded(`embedded Postgres ${binaries.major}`, binaries)
    : unavailable("embedded Postgres", "npm install");
}

/** Servers that a shared suite runs against: the one that comes with the packages, and the distribution's Postgres 15. */
export function serversUnderTest(): TestServer[] {
  const debian = listSystemBinaries().find((binaries) => binaries.major === 15);
  return [
    defaultServer(),
    debian
      ? embedded("Debian's Postgres 15", debian)
      : unavailable("Debian's Postgres 15", "apt-get install postgresql-15"),
  ];
}

const running = new Map<string, Promise<EmbeddedPostgres>>();

function embedded(name: string, binaries: PostgresBinaries): TestServer {
  return {
    name,
    async url() {
      const server = running.get(name) ?? start(binaries);
      running.set(name, server);
      return (await server).url;
    },
  };
}

function unavailable(name: string, remedy: string): TestServer {
  return { name, remedy, url: () => Promise.reject(new Error(`${name} is not here: ${remedy}`)) };
}

/** Shows `stopTestServers` of another test run that the server is in use, for as long as this process lives. */
async function keep(server: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client({
    connectionString: server.url,
    application_name: `heddle tests of process ${process.pid}`,
  });
  client.on("error", () => undefined);
  await client.connect();
  // Not a reason for this process to stay alive.
  (client as pg.Client & { unref(): void }).unref();
}

async function start(binaries: PostgresBinaries): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir: dataDirectory(binaries.major),
    binaries,
    maxConnections: 400,
    // Tests cut connections and kill servers, never the power.
    settings: {
      fsync: "off",
      full_page_writes: "off",
      shared_buffers: "128MB",
      max_wal_size: "512MB",
      min_wal_size: "80MB",
    },
  });
  await keep(server);
  return server;
}

function dataDirectory(major: number): string {
  return join(tmpdir(), `heddle-tests-${userInfo().uid}`, `postgres-${major}`);
}

/** Stops the servers unless another test run uses them. For the end of a test run. */
export async function stopTestServers(): Promise<void> {
  if (testDatabaseUrl() !== undefined) return;
  for (const binaries of [...listBinaries(), ...listSystemBinaries()]) {
    const dataDir = dataDirectory(binaries.major);
    if (!existsSync(join(dataDir, "data", "postmaster.pid"))) continue;
    const server = await startEmbeddedPostgres({ dataDir, binaries });
    const client = new pg.Client({ connectionString: server.url });
    client.on("error", () => undefined);
    await client.connect();
    const { rows } = await client.query<{ others: number }>(
      "select count(*)::int as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    await client.end();
    if (rows[0]?.others === 0) await server.stop();
  }
}
