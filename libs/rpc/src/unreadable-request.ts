import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { unreadableMessage } from "./boundary.ts";
import { watchIterable } from "./watch-iterable.ts";

const PARSE_FAILURE = "parse binary:";

/**
 * connect answers INTERNAL to bytes that are not the protobuf message which the method takes, and does so before any
 * interceptor runs. INTERNAL would page an operator for a stranger's mistake, so the answer is turned into
 * INVALID_ARGUMENT here: in the trailer for gRPC, in the last frame for gRPC-Web, in the JSON body for Connect.
 * (Messages of streams are read inside of the interceptors, where the error boundary sees them.)
 */
export async function withoutFalseInternal(response: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { body, trailer, header } = response;
  if (body !== undefined && header?.get("content-type")?.startsWith("application/grpc-web") === true) {
    return { ...response, body: correctedFrames(body) };
  }
  if (response.status === 500 && body !== undefined) return correctedConnect(response, await readAll(body));
  // The trailer is complete only when the body has ended.
  if (trailer === undefined || body === undefined) return response;
  return { ...response, body: watchIterable(body, { onDone: () => void correctGrpc(trailer) }) };
}

/** Whether there was anything to correct. */
function correctGrpc(trailer: Headers): boolean {
  if (trailer.get("grpc-status") !== String(Code.Internal)) return false;
  const message = decodeURIComponent(trailer.get("grpc-message") ?? "");
  if (!message.startsWith(PARSE_FAILURE)) return false;
  trailer.set("grpc-status", String(Code.InvalidArgument));
  trailer.set("grpc-message", encodeURIComponent(explanation(message)));
  return true;
}

const TRAILER_FRAME = 0x80;

/** gRPC-Web sends its trailer as a last frame: a byte of flags, four of length, lines of text. */
async function* correctedFrames(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const frame of body) {
    if (((frame[0] ?? 0) & TRAILER_FRAME) === 0) {
      yield frame;
      continue;
    }
    const trailer = new Headers();
    for (const line of new TextDecoder().decode(frame.subarray(5)).split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) trailer.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    if (!correctGrpc(trailer)) {
      yield frame;
      continue;
    }
    const text = [...trailer].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const corrected = Buffer.alloc(5 + Buffer.byteLength(text));
    corrected.writeUInt8(TRAILER_FRAME, 0);
    corrected.writeUInt32BE(corrected.byteLength - 5, 1);
    corrected.write(text, 5);
    yield corrected;
  }
}

function correctedConnect(response: UniversalServerResponse, bytes: Uint8Array): UniversalServerResponse {
  const unchanged = { ...response, body: only(bytes) };
  let error: { code?: string; message?: string };
  try {
    error = JSON.parse(new TextDecoder().decode(bytes)) as typeof error;
  } catch {
    return unchanged;
  }
  if (error.code !== "internal" || error.message?.startsWith(PARSE_FAILURE) !== true) return unchanged;
  const corrected = { ...error, code: "invalid_argument", message: explanation(error.message) };
  const body = new TextEncoder().encode(JSON.stringify(corrected));
  const header = new Headers(response.header);
  header.set("content-length", String(body.byteLength));
  return { ...response, status: 400, header, body: only(body) };
}

function explanation(message: string): string {
  return unreadableMessage(message.slice(PARSE_FAILURE.length).trim()).message;
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
