import { createHash } from "node:crypto";
import { DomainError } from "@heddle/errors";

/** Tokens of another version are refused, so that the meaning of a position may change. */
const VERSION = 1;
const DIGEST_BYTES = 9;

/**
 * An opaque token for "the page after `position`" of a list with these filters. The filters are not in it, only their
 * digest: a token that is used with other filters is refused instead of giving a page of nonsense.
 */
export function encodePageToken(position: string | number, filter: object): string {
  return Buffer.from(JSON.stringify([VERSION, digestOf(filter), position])).toString("base64url");
}

/** The position that `encodePageToken` was given. @throws DomainError PAGE_TOKEN_INVALID */
export function decodePageToken<Position extends string | number>(token: string, filter: object): Position {
  const [version, digest, position] = parse(token);
  if (version !== VERSION || (typeof position !== "string" && typeof position !== "number")) {
    throw invalid("it is not a token of this method; start again without one");
  }
  if (digest !== digestOf(filter)) {
    throw invalid(
      "it belongs to a list with other filters; repeat the request with the same filters, or start again without it",
    );
  }
  return position as Position;
}

function parse(token: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function digestOf(filter: object): string {
  const entries = Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest().subarray(0, DIGEST_BYTES).toString("base64url");
}

function invalid(problem: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "PAGE_TOKEN_INVALID",
    message: `page_token: ${problem}`,
    violations: [{ field: "page_token", description: problem }],
  });
}
