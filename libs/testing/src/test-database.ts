import { randomBytes } from "node:crypto";
import { type Database, type Migration, openDatabase } from "@heddle/store";
import pg from "pg";
import { defaultServer, type TestServer } from "./test-server.ts";

export interface TestDatabaseOptions {
  schema: string;
  migrations: readonly Migration[];
  /** Default: `defaultServer()`. */
  server?: TestServer;
}

export interface TestDatabase {
  url: string;
  schema: string;
  /** A handle with the schema migrated, closed by `drop`. */
  database: Database;
  /** One more handle, as another process would have; closed by `drop` too. */
  open(options?: { url?: string; maxConnections?: number }): Database;
  /** Closes the handles and removes the database, whoever is still connected. */
  drop(): Promise<void>;
}

const templates = new Map<string, Promise<string>>();

/** An empty database of one's own, cloned from a template that ran the migrations once per process. */
export async function createTestDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const server = options.server ?? defaultServer();
  const maintenance = await server.url();
  const key = JSON.stringify([server.name, options.schema, options.migrations.map(({ name }) => name)]);
  const template = templates.get(key) ?? createTemplate(maintenance, options);
  templates.set(key, template);
  const name = uniqueName("test");
  await administer(maintenance, `create database ${name} template ${await template}`);

  const url = withDatabase(maintenance, name);
  const handles: Database[] = [];
  const open: TestDatabase["open"] = (extra = {}) => {
    const handle = openDatabase({ url, schema: options.schema, ...extra });
    handles.push(handle);
    return handle;
  };
  return {
    url,
    schema: options.schema,
    database: open(),
    open,
    async drop() {
      await Promise.all(handles.map((handle) => handle.close()));
      await administer(maintenance, `drop database if exists ${name} with (force)`);
    },
  };
}

async function createTemplate(maintenance: string, options: TestDatabaseOptions): Promise<string> {
  await dropLeftovers(maintenance);
  const name = uniqueName("template");
  await administer(maintenance, `create database ${name}`);
  const database = openDatabase({ url: withDatabase(maintenance, name), schema: options.schema, maxConnections: 2 });
  try {
    await database.migrate(options.migrations);
  } finally {
    await database.close();
  }
  return name;
}

/** Databases of this machine's test processes that ended without dropping theirs, and templates, which nobody drops. */
async function dropLeftovers(maintenance: string): Promise<void> {
  const names = await administer(maintenance, "select datname as name from pg_database");
  for (const { name } of names) {
    const pid = Number(/^heddle_(?:test|template)_(\d+)_/.exec(name)?.[1]);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Somebody else may be cleaning up as well.
    await administer(maintenance, `drop database if exists ${name} with (force)`).catch(() => undefined);
  }
}

function uniqueName(kind: "test" | "template"): string {
  return `heddle_${kind}_${process.pid}_${randomBytes(6).toString("hex")}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function withDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.href;
}

async function administer(url: string, statement: string): Promise<{ name: string }[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<{ name: string }>(statement)).rows;
  } finally {
    await client.end();
  }
}
