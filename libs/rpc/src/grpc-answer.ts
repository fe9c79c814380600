import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";

const CONTENT_TYPE = "application/grpc+proto";
const OK: Readonly<OutgoingHttpHeaders> = { "grpc-status": "0" };

export interface GrpcMetadata {
  header?: Headers | undefined;
  trailer?: Headers | undefined;
}

/** Answers with one framed message. */
export function answerMessage(stream: ServerHttp2Stream, frame: Buffer, { header, trailer }: GrpcMetadata): void {
  respond(stream, header, trailer === undefined ? OK : { ...toNode(trailer), ...OK });
  stream.end(frame);
}

/** Answers with an error; whatever of the request has not arrived by then is not wanted any more. */
export function answerError(stream: ServerHttp2Stream, error: ConnectError, { header, trailer }: GrpcMetadata): void {
  const status = toNode(setTrailerStatus(new Headers(trailer), error));
  if (header === undefined) {
    stream.respond({ ":status": 200, "content-type": CONTENT_TYPE, ...status }, { endStream: true });
  } else {
    // Headers and trailers in one would reach the client as trailers alone.
    respond(stream, header, status);
    stream.end();
  }
  if (!stream.readableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR);
}

function respond(stream: ServerHttp2Stream, header: Headers | undefined, trailers: OutgoingHttpHeaders): void {
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  const headers: OutgoingHttpHeaders = header === undefined ? {} : toNode(header);
  headers[":status"] = 200;
  headers["content-type"] ??= CONTENT_TYPE;
  stream.respond(headers, { waitForTrailers: true });
}

function toNode(headers: Headers): OutgoingHttpHeaders {
  const node: OutgoingHttpHeaders = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) node["set-cookie"] = cookies;
  return node;
}
