/**
 * What went wrong, in the domain's words. The rpc boundary maps each kind to one status code:
 * the names are those of google.rpc.Code in lower case.
 */
export type ErrorKind =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "resource_exhausted"
  | "permission_denied"
  | "unauthenticated"
  | "unimplemented"
  | "unavailable"
  | "deadline_exceeded";

/** One thing wrong with a request: where (a field path such as `input.tickets[2].id`), and what to do about it. */
export interface FieldViolation {
  field: string;
  description: string;
}

export interface DomainErrorOptions {
  kind: ErrorKind;
  /** A value of the service's `ErrorReason` enum without its prefix, e.g. `EXECUTION_NOT_FOUND`. */
  reason: string;
  /** For people: names the thing, says what is wrong and what to do. */
  message: string;
  /** For programs: goes to google.rpc.ErrorInfo.metadata. */
  metadata?: Record<string, string>;
  /** Goes to google.rpc.BadRequest. */
  violations?: FieldViolation[];
  /** Goes to google.rpc.RetryInfo, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** An error that a caller may see. Anything else that reaches the rpc boundary is a bug and becomes INTERNAL. */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly metadata: Record<string, string>;
  readonly violations: FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(options: DomainErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.kind = options.kind;
    this.reason = options.reason;
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}
