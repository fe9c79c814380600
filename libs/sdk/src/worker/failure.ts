import { create } from "@bufbuild/protobuf";
import { FailureSchema, type Failure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { FAILURE_MESSAGE_MAX_BYTES, FAILURE_TYPE_MAX_CHARS } from "../limits.ts";
import { TaskError } from "./task-error.ts";

/**
 * What a handler threw, as data for the history. Total: whatever is thrown, even an object whose `message` throws, gives a
 * failure. Stacks stay in the worker's log: they tell a reader of a history nothing, and may show secrets.
 */
export function toFailure(thrown: unknown, detailsMaxBytes: number): Failure {
  try {
    if (thrown instanceof TaskError) return ofTaskError(thrown, detailsMaxBytes);
    if (thrown instanceof Error) return failure(thrown.name || "Error", thrown.message || thrown.name);
    return failure("Error", `the handler threw ${typeof thrown === "string" ? thrown : describe(thrown)}`);
  } catch {
    return failure("Error", "the handler threw something that cannot be described");
  }
}

function ofTaskError(error: TaskError, detailsMaxBytes: number): Failure {
  const result = failure(error.type || "TaskError", error.message);
  result.nonRetryable = !error.retryable;
  result.business = error.business;
  result.retryAfterMs = BigInt(Math.max(0, Math.ceil(Number.isFinite(error.retryAfterMs) ? error.retryAfterMs : 0)));
  const details = encodeDetails(error.details, detailsMaxBytes);
  if (details !== undefined) result.details = details;
  return result;
}

function failure(type: string, message: string): Failure {
  return create(FailureSchema, {
    type: type.slice(0, FAILURE_TYPE_MAX_CHARS),
    message: cutToBytes(message, FAILURE_MESSAGE_MAX_BYTES),
  });
}

/** Details are a help, never a reason to lose the failure itself: what is no JSON, or too much of it, is left out. */
function encodeDetails(details: unknown, maxBytes: number): Failure["details"] {
  if (details === undefined) return undefined;
  let text: string | undefined;
  try {
    text = JSON.stringify(details);
  } catch {
    return undefined;
  }
  if (text === undefined || Buffer.byteLength(text) > maxBytes) return undefined;
  return { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: text } };
}

function describe(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null ? JSON.stringify(thrown) : String(thrown);
}

function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const mark = "... (cut)";
  // A sequence of UTF-8 that was cut in half decodes to a replacement character at the end: it goes too.
  const kept = Buffer.from(text)
    .subarray(0, maxBytes - mark.length)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return kept + mark;
}
