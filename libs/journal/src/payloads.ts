import { hash } from "node:crypto";
import type { Queryable } from "@heddle/store";
import { payloadTooLarge } from "./errors.ts";
import type { JournalLimits } from "./limits.ts";
import type { PayloadClaim, PayloadLookup } from "./types.ts";

/** Payloads fetched by one statement. */
const LOAD_MAX_DIGESTS = 500;

/**
 * Decides what becomes of a field: undefined when it stays inside its event, a claim when it is stored apart.
 * Throws PAYLOAD_TOO_LARGE, naming the field, above the cap.
 */
export function claimPayload(
  name: string,
  bytes: Uint8Array,
  limits: Pick<JournalLimits, "payloadInlineMaxBytes" | "payloadMaxBytes">,
): PayloadClaim | undefined {
  if (bytes.length <= limits.payloadInlineMaxBytes) return undefined;
  if (bytes.length > limits.payloadMaxBytes) throw payloadTooLarge(name, bytes.length, limits.payloadMaxBytes);
  return { name, bytes, digest: hash("sha256", bytes, "hex") };
}

/** Throws when a digest is not stored, which cannot be while something references it. */
export async function loadPayloads(database: Queryable, digests: Iterable<string>): Promise<PayloadLookup> {
  const wanted = [...new Set(digests)];
  const loaded = new Map<string, Uint8Array>();
  for (let from = 0; from < wanted.length; from += LOAD_MAX_DIGESTS) {
    const { rows } = await database.query<{ digest: Buffer; bytes: Buffer }>({
      name: "journal_load_payloads",
      text: "select digest, bytes from payloads where digest = any($1::bytea[])",
      values: [wanted.slice(from, from + LOAD_MAX_DIGESTS).map((digest) => Buffer.from(digest, "hex"))],
    });
    for (const row of rows) loaded.set(row.digest.toString("hex"), row.bytes);
  }
  return {
    get(digest) {
      const bytes = loaded.get(digest);
      if (!bytes) throw new Error(`payload ${digest} is not stored, or was not named by the event that asks for it`);
      return bytes;
    },
  };
}
