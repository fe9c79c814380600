import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedPostgres, openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { createTestAuthority, findCertificateRemedy } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

const missing = findCertificateRemedy();
const folder = mkdtempSync(join(tmpdir(), "heddle-postgres-tls-"));
const dataDir = mkdtempSync(join(tmpdir(), "heddle-postgres-tls-data-"));
let caFile = "";
let strangerFile = "";
let server: EmbeddedPostgres;

beforeEach((context) => missing !== undefined && context.skip(missing));
beforeAll(async () => {
  if (missing !== undefined) return;
  const authority = createTestAuthority(folder);
  ({ caFile } = authority);
  strangerFile = createTestAuthority(mkdtempSync(join(folder, "other-"))).caFile;
  const { certFile, keyFile } = authority.issue("postgres", ["127.0.0.1"]);
  // Started once to learn whose files it takes: for root that is another account.
  const first = await startEmbeddedPostgres({ dataDir });
  await first.stop();
  const { uid, gid } = statSync(first.dataPath);
  for (const path of [folder, certFile, keyFile]) chownSync(path, uid, gid);
  const settings = { ssl: "on", ssl_cert_file: certFile, ssl_key_file: keyFile };
  server = await startEmbeddedPostgres({ dataDir, settings });
});
afterAll(async () => {
  await server?.stop();
  for (const path of [server?.dataPath, dataDir, folder]) {
    if (path !== undefined) rmSync(path, { recursive: true, force: true });
  }
});

async function isEncrypted(known: string | undefined, url = server.url): Promise<unknown> {
  const database = openDatabase({ url, caFile: known, schema: "public", maxConnections: 1 });
  try {
    const text = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    const { rows } = await database.query<{ ssl: boolean }>({ text });
    expect(await database.knex.raw(text)).toMatchObject({ rows });
    return rows[0]?.ssl;
  } finally {
    await database.close();
  }
}

it("is called by TLS when an authority is given, whatever the URL says", async () => {
  expect(await isEncrypted(undefined)).toBe(false);
  expect(await isEncrypted(caFile)).toBe(true);
  expect(await isEncrypted(caFile, `${server.url}?sslmode=disable`)).toBe(true);
});

it("is not called when its certificate is of another authority, or of another name", async () => {
  await expect(isEncrypted(strangerFile)).rejects.toThrow(/certificate/);
  await expect(isEncrypted(caFile, server.url.replace("127.0.0.1", "localhost"))).rejects.toThrow(/altnames/);
});
