import { openDatabase } from "@heddle/store";
import type { ClusterConfig } from "./config.ts";

export const STATEFUL = ["definition", "execution", "scheduler", "statemachine"] as const;
const PASSWORD = "only-for-a-test";

/** What an operator does once: docs/operate/install.md, as statements. The Secret's content is what comes back. */
export async function createDatabases(
  config: ClusterConfig,
): Promise<{ database: string; urls: Record<string, string> }> {
  const database = config.namespace.replaceAll("-", "_");
  const urls: Record<string, string> = {};
  await administer(config.postgresUrl, [`create database ${database}`]);
  for (const service of STATEFUL) {
    const [owner, serving] = rolesOf(service);
    await administer(config.postgresUrl, [
      ...[owner, serving].map(
        (role) =>
          `do $$ begin create role ${role} login password '${PASSWORD}'; exception when duplicate_object then null; end $$`,
      ),
      `grant create on database ${database} to ${owner}`,
    ]);
    urls[`${service}-url`] = urlOf(config, database, serving);
    urls[`${service}-migrate-url`] = urlOf(config, database, owner);
  }
  return { database, urls };
}

export async function dropDatabases(config: ClusterConfig, database: string): Promise<void> {
  await administer(config.postgresUrl, [`drop database if exists ${database} with (force)`]);
}

/** Runs a statement as the role that serves. @throws what Postgres says */
export async function asServing(config: ClusterConfig, database: string, service: string, text: string): Promise<void> {
  const url = new URL(urlOf(config, database, `heddle_${service}`));
  url.host = new URL(config.postgresUrl).host;
  const handle = openDatabase({ url: url.href, schema: service, maxConnections: 2 });
  try {
    await handle.query({ text });
  } finally {
    await handle.close();
  }
}

function rolesOf(service: string): [owner: string, serving: string] {
  return [`heddle_${service}_owner`, `heddle_${service}`];
}

function urlOf(config: ClusterConfig, database: string, role: string): string {
  return `postgres://${role}:${PASSWORD}@${config.postgresHost}/${database}`;
}

async function administer(url: string, statements: readonly string[]): Promise<void> {
  const handle = openDatabase({ url, schema: "public", maxConnections: 2 });
  try {
    for (const text of statements) await handle.query({ text });
  } finally {
    await handle.close();
  }
}
