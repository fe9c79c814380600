import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";

/** A byte of flags and four of length. */
const PREFIX_BYTES = 5;
const COMPRESSED = 1;

/**
 * Reads the one message of a unary request from its length-prefixed frame, and calls back once: with the message, or
 * with what is wrong with the frame. At most `maxBytes`, and what came in one piece with them, are kept; what comes after
 * an error is read and dropped.
 */
export function readUnaryMessage(
  stream: Readable,
  maxBytes: number,
  done: (result: Uint8Array | ConnectError) => void,
): void {
  let chunks: Buffer[] = [];
  let received = 0;
  let length: number | undefined;
  let settled = false;

  const settle = (result: Uint8Array | ConnectError) => {
    settled = true;
    chunks = [];
    done(result);
  };
  stream.on("data", (chunk: Buffer) => {
    if (settled) return;
    chunks.push(chunk);
    received += chunk.byteLength;
    if (received < PREFIX_BYTES) return;
    length ??= prefixOf(chunks).readUInt32BE(1);
    if (length > maxBytes) settle(tooLarge(length, maxBytes));
    else if (received >= 2 * PREFIX_BYTES + length)
      settle(malformed("received extra input message", Code.Unimplemented));
  });
  stream.on("end", () => {
    if (settled) return;
    if (received === 0) settle(malformed("missing input message", Code.Unimplemented));
    else if (length === undefined || received !== PREFIX_BYTES + length) {
      settle(malformed("incomplete envelope", Code.InvalidArgument));
    } else if (((chunks[0]?.[0] ?? 0) & COMPRESSED) !== 0) {
      settle(malformed("the message is compressed, but no grpc-encoding says how", Code.Internal));
    } else settle(withoutPrefix(chunks, length));
  });
}

/** The message in its frame. @throws ConnectError when it is larger than `maxBytes` */
export function frameMessage(message: Uint8Array, maxBytes: number): Buffer {
  if (message.byteLength > maxBytes) {
    throw new ConnectError(
      `message size ${message.byteLength} is larger than configured writeMaxBytes ${maxBytes}`,
      Code.ResourceExhausted,
    );
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function prefixOf(chunks: Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && first.byteLength >= PREFIX_BYTES ? first : Buffer.concat(chunks);
}

/** A copy, so that a field of type bytes does not keep all that the socket read alive. */
function withoutPrefix(chunks: Buffer[], length: number): Uint8Array {
  const message = new Uint8Array(length);
  let position = -PREFIX_BYTES;
  for (const chunk of chunks) {
    if (position + chunk.byteLength > 0) {
      message.set(position < 0 ? chunk.subarray(-position) : chunk, Math.max(position, 0));
    }
    position += chunk.byteLength;
  }
  return message;
}

function tooLarge(bytes: number, maxBytes: number): ConnectError {
  return new ConnectError(
    `message size ${bytes} is larger than configured readMaxBytes ${maxBytes}`,
    Code.ResourceExhausted,
  );
}

function malformed(what: string, code: Code): ConnectError {
  return new ConnectError(`protocol error: ${what}`, code);
}
