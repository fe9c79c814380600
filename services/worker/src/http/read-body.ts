import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { TaskError } from "@heddle/sdk";

/** Reads and decompresses a body. Counts what comes out, so that a small bomb does not become a large one. @throws TaskError `response_too_large` */
export async function readBody(response: IncomingMessage, maxBytes: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of decoded(response) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes, url);
      chunks.push(chunk);
    }
  } catch (error) {
    // What is left of it must not keep the connection busy.
    response.destroy();
    throw error;
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number, { origin, pathname }: URL): TaskError {
  return new TaskError(
    "response_too_large",
    `the response of ${origin}${pathname} is larger than ${maxBytes} bytes: ask for less, or raise HEDDLE_HTTP_RESPONSE_MAX`,
    { retryable: false },
  );
}

function decoded(response: IncomingMessage): Readable {
  const through = decoder(response.headers["content-encoding"]);
  if (through === undefined) return response;
  // pipe() does not pass errors on: a connection that breaks would leave the reader waiting.
  response.once("error", (error) => through.destroy(error));
  response.once("aborted", () => through.destroy(new Error("the connection broke in the middle of the response")));
  return response.pipe(through);
}

function decoder(encoding: string | undefined) {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
