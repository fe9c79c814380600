import type { Json } from "../json.ts";

export interface TaskErrorOptions {
  /** False: no further attempt can help; retry policies stop at once. Default true. */
  retryable?: boolean;
  /** The shortest wait before the next attempt, milliseconds (an HTTP Retry-After). */
  retryAfterMs?: number;
  /**
   * True: a business exception. Nothing is broken, but what was asked for cannot be, and the process has to answer that. It is
   * retried only where a rule of the definition asks for it; handlers match it with `class: business`. Default false.
   */
  business?: boolean;
  /** Further data for the history and for programs; at most 16 KiB as JSON. */
  details?: Json;
  cause?: unknown;
}

/**
 * A failure with a class: `throw new TaskError("card_declined", "the bank refused", { retryable: false })`. The type is what
 * a definition's `retry.non_retryable` names, at most 128 characters. Anything else that a handler throws becomes a
 * retryable failure with the error's name as type.
 */
export class TaskError extends Error {
  readonly type: string;
  readonly retryable: boolean;
  readonly business: boolean;
  readonly retryAfterMs: number;
  readonly details: Json | undefined;

  constructor(type: string, message: string, options: TaskErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TaskError";
    this.type = type;
    this.retryable = options.retryable ?? true;
    this.business = options.business ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.details = options.details;
  }
}

/**
 * A business exception: `throw new BusinessError("card_declined", "the bank refused", { details: { code } })`. Short for a
 * TaskError with `business: true`.
 */
export class BusinessError extends TaskError {
  constructor(type: string, message: string, options: Omit<TaskErrorOptions, "business" | "retryable"> = {}) {
    super(type, message, { ...options, business: true });
    this.name = "BusinessError";
  }
}
