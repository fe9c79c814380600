import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { unreadableMessage } from "./boundary.ts";
import { watchIterable } from "./watch-iterable.ts";

const PARSE_FAILURE = "parse binary:";

/**
 * connect answers INTERNAL to bytes that are not the protobuf message which the method takes, and does so before any
 * interceptor runs. INTERNAL would page an operator for a stranger's mistake, so the answer is turned into
 * INVALID_ARGUMENT here: in the trailer for gRPC, in the JSON body for Connect.
 */
export async function withoutFalseInternal(response: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { body, trailer } = response;
  if (response.status === 500 && body !== undefined) return correctedConnect(response, await readAll(body));
  // The trailer is complete only when the body has ended.
  if (trailer === undefined || body === undefined) return response;
  return { ...response, body: watchIterable(body, { onDone: () => correctGrpc(trailer) }) };
}

function correctGrpc(trailer: Headers): void {
  if (trailer.get("grpc-status") !== String(Code.Internal)) return;
  const message = decodeURIComponent(trailer.get("grpc-message") ?? "");
  if (!message.startsWith(PARSE_FAILURE)) return;
  trailer.set("grpc-status", String(Code.InvalidArgument));
  trailer.set("grpc-message", encodeURIComponent(explanation(message)));
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
