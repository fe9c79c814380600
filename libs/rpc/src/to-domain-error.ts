import { fromBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@heddle/proto/google/rpc/error_details_pb.js";
import { StatusSchema, type Status } from "@heddle/proto/google/rpc/status_pb.js";
import { findKindOfCode, nameOfCode } from "./error-kind.ts";
import { explainTlsFailure } from "./tls/tls-failure.ts";

/**
 * The way back over the wire: what a server threw as DomainError is one again at the client, with its reason, metadata,
 * violations and retryAfterMs. Takes errors of every client: Connect's and grpc-js's. An error without ErrorInfo gets the
 * name of its code as reason. Codes that a domain never means (canceled, internal, unknown, data loss), and errors that
 * did not come over a wire, come back as they are, as ConnectError or Error. A connection that broke under the call is
 * UNAVAILABLE, whatever grpc-js makes of it: nobody knows whether the call took effect.
 */
export function toDomainError(error: unknown): Error {
  if (error instanceof DomainError) return error;
  const status = error instanceof ConnectError ? error : fromServiceError(error);
  if (status === undefined) return error instanceof Error ? error : new Error(String(error), { cause: error });
  // Over an in-memory transport the original may still be at hand.
  if (status.cause instanceof DomainError) return status.cause;
  const [info] = status.findDetails(ErrorInfoSchema);
  const tls = info === undefined ? explainTlsFailure(status.rawMessage) : undefined;
  if (tls !== undefined) return tlsFailed(tls, status);
  const kind = findKindOfCode(status.code);
  if (kind === undefined) return isBroken(status) ? connectionBroken(status) : status;

  const [retry] = status.findDetails(RetryInfoSchema);
  const violations = status.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations);
  return new DomainError({
    kind,
    reason: info?.reason || nameOfCode(status.code),
    message: status.rawMessage,
    metadata: { ...info?.metadata },
    violations: violations.map(({ field, description }) => ({ field, description })),
    ...(retry?.retryDelay && { retryAfterMs: durationMs(retry.retryDelay) }),
    cause: status,
  });
}

/** grpc-js calls it INTERNAL when a stream ends without a status, as it does when its connection is ended. */
function isBroken({ code, isWireError, details, rawMessage }: ConnectError): boolean {
  return code === Code.Internal && isWireError && details.length === 0 && rawMessage.startsWith("Received RST_STREAM");
}

function connectionBroken(cause: ConnectError): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: nameOfCode(Code.Unavailable),
    message: `the connection broke before the answer came (${cause.rawMessage})`,
    cause,
  });
}

/** Connect calls it INTERNAL, grpc-js UNAVAILABLE. Nobody has had the call; a repetition helps when certificates are being changed. */
function tlsFailed(message: string, cause: ConnectError): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: nameOfCode(Code.Unavailable),
    message,
    metadata: { tls: "failed" },
    cause,
  });
}

/** The parts of grpc-js's ServiceError that we read. */
interface ServiceErrorLike extends Error {
  code: number;
  details: string;
  metadata: { get(key: string): (string | Buffer)[] };
}

/** grpc-js gives details as raw bytes of google.rpc.Status in a trailer. */
export function fromServiceError(error: unknown): ConnectError | undefined {
  if (!isServiceError(error)) return undefined;
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const status = typeof bytes === "object" ? readStatus(bytes) : undefined;
  // grpc-js leaves some escapes in its copy of the message; the one among the details was never escaped.
  const wire = new ConnectError(status?.message ?? error.details, error.code, undefined, undefined, error);
  wire.isWireError = true;
  for (const { typeUrl, value } of status?.details ?? []) {
    wire.details.push({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value });
  }
  return wire;
}

/** Undefined for bytes that are no Status: code and message still say what happened. */
function readStatus(bytes: Buffer): Status | undefined {
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}

function isServiceError(error: unknown): error is ServiceErrorLike {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "number" &&
    "details" in error &&
    "metadata" in error
  );
}
