import { DomainError } from "@heddle/errors";

/** What a caller is told to wait while the server is away. */
const RETRY_AFTER_MS = 250;

/** Connection exceptions, too many connections or too little memory, shutdown and start of the server; and the system's own. */
const AWAY = /^(08|53|57P|E[A-Z]+$)/;
/** What the driver says of a connection that ended, in errors that have no code. */
const ENDED = /terminated|timeout exceeded|not queryable/i;
/** Text that is not UTF-8, or has a NUL: Postgres can store neither. */
const BAD_TEXT = new Set(["22021", "22P05"]);

/**
 * What the failure of a statement means for the caller of the request that it was for: an outage passes, and a text that
 * cannot be stored is the caller's. Everything else stays as it is, a defect. The code stays readable as `code`.
 */
export function explainFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" ? AWAY.test(code) : ENDED.test(error.message)) {
    const away = new DomainError({
      kind: "unavailable",
      reason: "DEPENDENCY_UNAVAILABLE",
      message: `the database does not answer at the moment (${error.message}); repeat the request`,
      retryAfterMs: RETRY_AFTER_MS,
      cause: error,
    });
    return Object.assign(away, { code });
  }
  if (typeof code === "string" && BAD_TEXT.has(code)) {
    const refused = new DomainError({
      kind: "invalid_argument",
      reason: "REQUEST_INVALID",
      message: "a text has the character NUL (\\u0000), which cannot be stored; leave it out",
      cause: error,
    });
    return Object.assign(refused, { code });
  }
  return error;
}
