import type { Failure } from "./events.ts";
import { MAX_FAILURE_DETAILS_BYTES, MAX_FAILURE_MESSAGE_LENGTH, MAX_FAILURE_TYPE_LENGTH } from "./limits.ts";
import { findSizeFault } from "./payload-size.ts";
import type { FailureClass } from "./error-document.ts";

/** Failure types that the core itself gives. Workers and definitions add their own. */
export type CoreFailureType =
  /** The execution's time is over, or a group's or loop's. */
  | "timeout"
  /** The time of a wait is over, and what it waits for has not come. */
  | "wait_timeout"
  /** All attempts of a task together have taken too long. */
  | "total_timeout"
  /** The execution has ended before an update could be answered. */
  | "execution_ended"
  /** The node that an update waits for was canceled. */
  | "canceled"
  /** An expression could not be evaluated. */
  | "expression"
  /** A value of the right syntax and the wrong kind, e.g. a merge of a number. */
  | "invalid_value"
  | "payload_too_large"
  /** A parallel of which too few branches completed. */
  | "no_branch_completed"
  /** A loop that would have more turns than it may. */
  | "too_many_turns"
  /** A map of which more items have failed than it tolerates. */
  | "too_many_failures"
  /** A step could not be undone. */
  | "compensation_failed"
  /** The time for compensation and `finally` is over. */
  | "cleanup_timeout"
  /** Nobody has answered a human node in time. */
  | "deadline_exceeded";

export function classOf(failure: Failure): FailureClass {
  return failure.business === true ? "business" : "technical";
}

/** A failure that the core found. It is final: the same evaluation would fail again. */
export function coreFailure(type: CoreFailureType, message: string): Failure {
  return boundFailure({ type, message });
}

/** A failure whose size is bounded, whoever made it. */
export function boundFailure(failure: Failure): Failure {
  const fits =
    failure.message.length <= MAX_FAILURE_MESSAGE_LENGTH &&
    failure.type.length <= MAX_FAILURE_TYPE_LENGTH &&
    failure.details === undefined;
  if (fits) return failure;
  const { details, ...rest } = failure;
  const keepsDetails = details !== undefined && findSizeFault(details, MAX_FAILURE_DETAILS_BYTES) === undefined;
  return {
    ...rest,
    type: cutText(failure.type, MAX_FAILURE_TYPE_LENGTH),
    message: cutText(failure.message, MAX_FAILURE_MESSAGE_LENGTH),
    ...(keepsDetails && { details }),
  };
}

/** The text, or its beginning and an ellipsis. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // Half of a surrogate pair would not survive UTF-8.
  const end = maxLength - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}

/** Thrown while a node is evaluated, caught where the node's turn begins: it becomes the node's failure. */
export class NodeFault extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "NodeFault";
    this.failure = failure;
  }
}

/** A value of the right syntax and the wrong kind. */
export function invalidValue(message: string): NodeFault {
  return new NodeFault(coreFailure("invalid_value", message));
}
