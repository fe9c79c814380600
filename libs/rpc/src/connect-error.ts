import { create, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { DomainError, FieldViolation } from "@heddle/errors";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@heddle/proto/google/rpc/error_details_pb.js";
import { codeOfKind } from "./error-kind.ts";
import { ERROR_DETAILS_MAX_BYTES, ERROR_MESSAGE_MAX_CHARS } from "./limits.ts";
import { ERROR_DOMAIN, RpcReason } from "./reasons.ts";

type Detail = { desc: DescMessage; value: MessageShape<DescMessage> };

/**
 * What a caller sees of a DomainError: the code of its kind, its message, and as details google.rpc.ErrorInfo always,
 * BadRequest when there are violations and RetryInfo when waiting helps.
 */
export function toConnectError(error: DomainError): ConnectError {
  const info = create(ErrorInfoSchema, { reason: error.reason, domain: ERROR_DOMAIN, metadata: error.metadata });
  const details: Detail[] = [{ desc: ErrorInfoSchema, value: info }];
  if (error.retryAfterMs !== undefined) {
    const retry = create(RetryInfoSchema, { retryDelay: durationFromMs(error.retryAfterMs) });
    details.push({ desc: RetryInfoSchema, value: retry });
  }
  if (error.violations.length > 0) {
    const room = ERROR_DETAILS_MAX_BYTES - toBinary(ErrorInfoSchema, info).byteLength;
    const fieldViolations = withinBytes(error.violations, room);
    details.push({ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) });
  }
  return new ConnectError(shorten(error.message), codeOfKind(error.kind), undefined, details, error);
}

/** As many violations as fit; the last one then says how many are missing, so that nobody takes the list for complete. */
function withinBytes(violations: FieldViolation[], maxBytes: number): FieldViolation[] {
  const kept: FieldViolation[] = [];
  let bytes = 0;
  for (const { field, description } of violations) {
    const violation = { field: field.slice(0, 300), description: shorten(description) };
    bytes += Buffer.byteLength(violation.field) + Buffer.byteLength(violation.description) + 8;
    if (bytes > maxBytes) {
      const missing = violations.length - kept.length;
      kept.push({ field: "", description: `${missing} more; repair those above first` });
      break;
    }
    kept.push(violation);
  }
  return kept;
}

function shorten(text: string): string {
  return text.length <= ERROR_MESSAGE_MAX_CHARS ? text : `${text.slice(0, ERROR_MESSAGE_MAX_CHARS - 1)}…`;
}

/** INTERNAL for the caller: nothing of the defect, but the reference under which the server's log has it. */
export function internalError(reference: string, cause: unknown): ConnectError {
  const value = create(ErrorInfoSchema, { reason: RpcReason.internal, domain: ERROR_DOMAIN, metadata: { reference } });
  const message = `the server failed by a defect of its own; its log has the details under reference ${reference}`;
  return new ConnectError(message, Code.Internal, undefined, [{ desc: ErrorInfoSchema, value }], cause);
}
