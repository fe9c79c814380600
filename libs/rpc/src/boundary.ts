import { randomBytes } from "node:crypto";
import { Code, ConnectError, type Interceptor, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import type { Logger } from "@heddle/telemetry";
import { isAbortError, toError } from "./abortable.ts";
import { internalError, toConnectError } from "./connect-error.ts";
import { RpcReason } from "./reasons.ts";
import { watchIterable } from "./watch-iterable.ts";

/** The call during which an error arose; for the log and for telling an abort from a defect. */
export interface FailedCall {
  /** `heddle.execution.v1.ExecutionService/StartExecution` */
  method: string;
  signal: AbortSignal;
}

/**
 * The one place where errors become answers. A DomainError is meant for the caller and goes out in full; a ConnectError
 * passes (connect's own checks, or the answer of a service that we called); everything else is a defect of ours: the
 * caller gets INTERNAL with a reference, the log gets the stack under the same reference.
 */
export function createErrorBoundary(logger: Logger): Interceptor {
  return (next) => async (req) => {
    // Read only when something fails: a request may make its signal at the first look.
    const call: FailedCall = {
      get method() {
        return `${req.service.typeName}/${req.method.name}`;
      },
      get signal() {
        return req.signal;
      },
    };
    let response: UnaryResponse | StreamResponse;
    try {
      response = await next(req);
    } catch (error) {
      throw toCallerError(error, call, logger);
    }
    if (!response.stream) return response;
    const message = watchIterable(response.message, { onError: (error) => toCallerError(error, call, logger) });
    return { ...response, message };
  };
}

/** What the caller of `call` sees of `error`. */
export function toCallerError(error: unknown, call: FailedCall, logger: Logger): ConnectError {
  if (error instanceof DomainError) return toConnectError(error);
  if (error instanceof ConnectError) return explainConnectError(error);
  // Code that honours the signal throws AbortError; why it was aborted stands in the signal.
  if (call.signal.aborted && (isAbortError(error) || error === call.signal.reason)) {
    const reason: unknown = call.signal.reason;
    if (reason instanceof DomainError) return toConnectError(reason);
    return explainConnectError(ConnectError.from(reason, Code.Canceled));
  }
  return hideDefect(error, call, logger);
}

/** Errors that connect throws by itself carry no ErrorInfo; those that a caller is likely to meet get one here. */
function explainConnectError(error: ConnectError): ConnectError {
  if (error.details.length > 0 || error.isWireError) return error;
  if (error.code === Code.DeadlineExceeded) {
    return toConnectError(
      new DomainError({
        kind: "deadline_exceeded",
        reason: RpcReason.deadlineExceeded,
        message:
          "the call was not finished within its deadline; it may have taken effect. Repeat it with the same request id, or with a longer deadline",
        cause: error,
      }),
    );
  }
  // connect answers INTERNAL when a message is not protobuf, but the defect is the caller's.
  if (error.code === Code.Internal && error.rawMessage.startsWith("parse binary:")) {
    return toConnectError(unreadableMessage(error.rawMessage.slice("parse binary:".length).trim(), error));
  }
  return error;
}

export function unreadableMessage(why: string, cause?: unknown): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: RpcReason.requestInvalid,
    message: `the request is not a message of the type that this method takes (${why}); generate the client from the same version of the protos`,
    cause,
  });
}

function hideDefect(error: unknown, call: FailedCall, logger: Logger): ConnectError {
  const reference = randomBytes(6).toString("hex");
  const err = toError(error);
  logger.error({ err, reference, method: call.method }, "a call failed by a defect of this server");
  return internalError(reference, err);
}
