import { Code } from "@connectrpc/connect";
import type { ErrorKind } from "@heddle/errors";

/** The one table between the domain's kinds and gRPC's codes. */
const CODE_OF_KIND: Readonly<Record<ErrorKind, Code>> = {
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  out_of_range: Code.OutOfRange,
  resource_exhausted: Code.ResourceExhausted,
  permission_denied: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  unimplemented: Code.Unimplemented,
  unavailable: Code.Unavailable,
  deadline_exceeded: Code.DeadlineExceeded,
};

const KIND_OF_CODE = new Map(Object.entries(CODE_OF_KIND).map(([kind, code]) => [code, kind as ErrorKind]));

export function codeOfKind(kind: ErrorKind): Code {
  return CODE_OF_KIND[kind];
}

/** Undefined for the codes that a domain never means: canceled, unknown, internal, data loss. */
export function findKindOfCode(code: Code): ErrorKind | undefined {
  return KIND_OF_CODE.get(code);
}

/** `NOT_FOUND` for `Code.NotFound`: the name that google.rpc.Code gives it. */
export function nameOfCode(code: Code): string {
  return (Code[code] ?? "Unknown").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
