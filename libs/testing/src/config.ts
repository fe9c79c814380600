/** A server that tests use instead of an embedded one; its user must be allowed to create databases. */
export function testDatabaseUrl(): string | undefined {
  return process.env.DATABASE_URL_TEST || undefined;
}
