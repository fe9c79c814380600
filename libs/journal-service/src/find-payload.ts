import type { Queryable } from "@heddle/store";

/** The bytes of a payload by its digest, hexadecimal. */
export async function findPayload(database: Queryable, digest: string): Promise<Buffer | undefined> {
  const { rows } = await database.query<{ bytes: Buffer }>({
    text: "select bytes from payloads where digest = $1",
    values: [Buffer.from(digest, "hex")],
  });
  return rows[0]?.bytes;
}
