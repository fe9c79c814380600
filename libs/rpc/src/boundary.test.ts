import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";
import { DomainError, type ErrorKind } from "@heddle/errors";
import { ErrorReason } from "@heddle/proto/heddle/common/v1/error_reason_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "@heddle/proto/google/rpc/error_details_pb.js";
import { StatusSchema } from "@heddle/proto/google/rpc/status_pb.js";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { createLogger } from "@heddle/telemetry";
import { describe, expect, it } from "vitest";
import { toCallerError } from "./boundary.ts";
import { toConnectError } from "./connect-error.ts";
import { nameOfCode } from "./error-kind.ts";
import { ERROR_MESSAGE_MAX_CHARS } from "./limits.ts";
import { RpcReason } from "./reasons.ts";
import { toDomainError } from "./to-domain-error.ts";

const CODES: Record<ErrorKind, Code> = {
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
const lines: string[] = [];
const logger = createLogger({ name: "test", destination: { write: (line) => lines.push(line) } });
const call = { method: "s/M", signal: new AbortController().signal };

function domainError(kind: ErrorKind, more: Partial<ConstructorParameters<typeof DomainError>[0]> = {}) {
  return new DomainError({ kind, reason: "SOME_REASON", message: "what, where, remedy", ...more });
}

describe("what a caller sees", () => {
  it.each(Object.entries(CODES) as [ErrorKind, Code][])("%s is code %i, and comes back as it was", (kind, code) => {
    const thrown = domainError(kind, {
      metadata: { id: "7" },
      violations: [{ field: "a.b[1]", description: "is wrong" }],
      retryAfterMs: 250,
    });
    const wire = toCallerError(thrown, call, logger);
    expect(wire.code).toBe(code);
    expect(wire.rawMessage).toBe("what, where, remedy");
    const [info] = wire.findDetails(ErrorInfoSchema);
    expect(info).toMatchObject({ reason: "SOME_REASON", domain: "heddle", metadata: { id: "7" } });
    // Without its cause, as after a real wire.
    const received = new ConnectError(wire.rawMessage, wire.code, undefined, wire.details as never);
    expect(toDomainError(received)).toMatchObject({
      kind,
      reason: "SOME_REASON",
      metadata: { id: "7" },
      violations: [{ field: "a.b[1]", description: "is wrong" }],
      retryAfterMs: 250,
    });
  });

  it("is nothing but a reference for a defect, which the log has with the stack", () => {
    lines.length = 0;
    for (const defect of [new TypeError("secret"), "a thrown text", undefined]) {
      const wire = toCallerError(defect, call, logger);
      expect(wire.code).toBe(Code.Internal);
      expect(wire.rawMessage).not.toContain("secret");
      const [info] = wire.findDetails(ErrorInfoSchema);
      expect(info?.reason).toBe("INTERNAL");
      const line = JSON.parse(lines.at(-1) ?? "{}") as { reference: string; method: string; err: { stack: string } };
      expect(line).toMatchObject({ reference: info?.metadata.reference, method: "s/M" });
      expect(line.err.stack).toContain("boundary.test");
    }
  });

  it("is a ConnectError as it was thrown", () => {
    const error = new ConnectError("no", Code.DataLoss);
    expect(toCallerError(error, call, logger)).toBe(error);
  });

  it("is the reason of the signal when code gives up because of it", () => {
    const timeout = aborted(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    const late = toCallerError(abortError(), timeout, logger);
    expect(late.code).toBe(Code.DeadlineExceeded);
    expect(late.findDetails(ErrorInfoSchema)[0]?.reason).toBe("DEADLINE_EXCEEDED");
    expect(toCallerError(abortError(), aborted(new Error("gone")), logger).code).toBe(Code.Canceled);
    expect(toCallerError(abortError(), aborted(domainError("unavailable")), logger).code).toBe(Code.Unavailable);
    expect(toCallerError(abortError(), call, logger).code).toBe(Code.Internal);
  });

  it("fits into a trailer, and says how much was left out", () => {
    const violations = Array.from({ length: 500 }, (_, i) => ({ field: `f${i}`, description: "x".repeat(200) }));
    const wire = toConnectError(domainError("invalid_argument", { violations, message: "m".repeat(10_000) }));
    expect(wire.rawMessage).toHaveLength(ERROR_MESSAGE_MAX_CHARS);
    const kept = wire.findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.at(-1)?.description).toBe(`${500 - (kept.length - 1)} more; repair those above first`);
    const bytes = wire.details.reduce((sum, detail) => {
      if (!("desc" in detail)) throw new Error("a detail of our own has a descriptor");
      return sum + toBinary(detail.desc, create(detail.desc, detail.value)).byteLength;
    }, 0);
    expect(bytes).toBeLessThan(6_000);
  });
});

describe("toDomainError", () => {
  it("reads grpc-js's ServiceError, details and all", () => {
    const metadata = new Metadata();
    const info = create(ErrorInfoSchema, { reason: "R", metadata: { a: "b" } });
    const status = create(StatusSchema, { code: 5, message: "a; b", details: [anyPack(ErrorInfoSchema, info)] });
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
    const error = Object.assign(new Error("5 NOT_FOUND: a%3B b"), { code: 5, details: "a%3B b", metadata });
    expect(toDomainError(error)).toMatchObject({
      kind: "not_found",
      reason: "R",
      message: "a; b",
      metadata: { a: "b" },
    });
  });

  it("takes the code's name as reason when the server sent no details, or unreadable ones", () => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));
    for (const trailer of [new Metadata(), metadata]) {
      const error = Object.assign(new Error("x"), { code: 14, details: "no connection", metadata: trailer });
      expect(toDomainError(error)).toMatchObject({
        kind: "unavailable",
        reason: "UNAVAILABLE",
        message: "no connection",
      });
    }
  });

  it("takes a stream that ended without a status for a connection that broke", () => {
    const details =
      "Received RST_STREAM with code 2 triggered by internal client error: Session closed with error code 2";
    const error = Object.assign(new Error(details), { code: Code.Internal, details, metadata: new Metadata() });
    expect(toDomainError(error)).toMatchObject({ kind: "unavailable", reason: "UNAVAILABLE" });
    const said = Object.assign(new Error("x"), { code: Code.Internal, details: "a defect", metadata: new Metadata() });
    expect(toDomainError(said)).toBeInstanceOf(ConnectError);
  });

  it("leaves what no domain means as it is", () => {
    for (const code of [Code.Internal, Code.Unknown, Code.Canceled, Code.DataLoss]) {
      const error = new ConnectError("x", code);
      expect(toDomainError(error)).toBe(error);
    }
    const local = new TypeError("mine");
    expect(toDomainError(local)).toBe(local);
    expect(toDomainError("text")).toMatchObject({ message: "text" });
    const domain = domainError("aborted");
    expect(toDomainError(domain)).toBe(domain);
  });
});

it("gives reasons of its own that are all in the contract", () => {
  expect(Object.values(RpcReason).filter((reason) => !(reason in ErrorReason))).toEqual([]);
});

it("names codes as google.rpc.Code does", () => {
  expect([Code.NotFound, Code.DeadlineExceeded, Code.Canceled, Code.Unknown].map(nameOfCode)).toEqual([
    "NOT_FOUND",
    "DEADLINE_EXCEEDED",
    "CANCELED",
    "UNKNOWN",
  ]);
});

function aborted(reason: Error) {
  const controller = new AbortController();
  controller.abort(reason);
  return { ...call, signal: controller.signal };
}

function abortError(): Error {
  return Object.assign(new Error("This operation was aborted"), { name: "AbortError" });
}
