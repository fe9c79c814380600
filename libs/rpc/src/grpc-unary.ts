import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "@heddle/telemetry";
import { toError } from "./abortable.ts";
import { type FailedCall, toCallerError, unreadableMessage } from "./boundary.ts";
import { CallLifetime } from "./call-lifetime.ts";
import { boundGrpcTimeout } from "./deadline.ts";
import { answerError, answerMessage } from "./grpc-answer.ts";
import { frameMessage, readUnaryMessage } from "./grpc-message.ts";
import type { RpcLimits } from "./limits.ts";
import type { RouteTable } from "./routes.ts";
import { createUnaryCall, type UnarySpec } from "./unary-call.ts";

export interface GrpcUnaryOptions {
  table: RouteTable;
  interceptors: Interceptor[];
  limits: RpcLimits;
  logger: Logger;
}

/** Takes a request and says so, or leaves it for others. */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

/**
 * Serves unary gRPC calls over HTTP/2 by themselves: they are most of what a busy server does, and connect's pipeline,
 * which every protocol and streaming share, costs several times what the call itself does. Interceptors, limits, errors
 * and deadlines are the same. What is rare (compression, JSON, malformed deadlines) is left for connect to answer.
 */
export function createGrpcUnary({ table, interceptors, limits, logger }: GrpcUnaryOptions): StreamHandler {
  const specs = new Map<string, UnarySpec>();
  for (const [path, spec] of table.methods) if (spec.kind === "unary") specs.set(path, spec);

  return (stream, headers) => {
    const path = headers[":path"] ?? "";
    const spec = specs.get(path);
    if (spec === undefined || !isPlainGrpc(headers)) return false;
    const timeoutMs = boundGrpcTimeout(path, headers, limits);
    if (Number.isNaN(timeoutMs)) return false;

    const lifetime = new CallLifetime(timeoutMs);
    const url = `http://${headers[":authority"]}${path}`;
    const call = createUnaryCall({ spec, interceptors, lifetime, url, headers });
    const write = (answer: () => void) => {
      // Those who have gone get no answer.
      if (stream.destroyed || stream.closed) return;
      try {
        answer();
      } catch (err) {
        logger.debug({ err, method: path }, "an answer could not be written");
        stream.destroy();
      }
    };
    const failed: FailedCall = {
      method: path.slice(1),
      get signal() {
        return lifetime.signal;
      },
    };
    const fail = (error: unknown) => {
      const failure = toCallerError(error, failed, logger);
      lifetime.end();
      write(() => answerError(stream, failure, { header: call.responseHeader, trailer: call.responseTrailer }));
    };
    const run = async (bytes: Uint8Array) => {
      try {
        const message = await call.invoke(parse(spec.method.input, bytes));
        const frame = frameMessage(toBinary(spec.method.output, message), limits.messageMaxBytes);
        lifetime.end();
        write(() => answerMessage(stream, frame, { header: call.responseHeader, trailer: call.responseTrailer }));
      } catch (error) {
        fail(error);
      }
    };

    // What breaks a stream also closes it, and its end is what the call must know of.
    stream.on("error", (err) => logger.trace({ err, method: path }, "a call's stream broke"));
    stream.once("close", () => {
      if (lifetime.over === undefined) lifetime.abort(clientGone(stream.rstCode));
    });
    let running = false;
    lifetime.onAbort((reason) => {
      if (!running) fail(reason);
    });
    readUnaryMessage(stream, limits.messageMaxBytes, (result) => {
      if (running || lifetime.over !== undefined) return;
      if (result instanceof ConnectError) {
        fail(result);
        return;
      }
      running = true;
      void run(result);
    });
    return true;
  };
}

function isPlainGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  const encoding = headers["grpc-encoding"];
  return (
    (type === "application/grpc" || type === "application/grpc+proto") &&
    headers[":method"] === "POST" &&
    headers[":authority"] !== undefined &&
    headers.expect === undefined &&
    (encoding === undefined || encoding === "identity")
  );
}

function parse(desc: DescMessage, bytes: Uint8Array): MessageShape<DescMessage> {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    throw unreadableMessage(toError(error).message, error);
  }
}

function clientGone(resetCode: number): ConnectError {
  return new ConnectError(`the client has left the call (HTTP/2 reset code ${resetCode})`, Code.Canceled);
}
