/** The end of an execution, as far as it decides whether anybody waits for it. */
export interface PeekedEnd {
  status: "completed" | "failed" | "canceled";
  namespace: string;
  workflowId: string;
}

const STATUSES = new Map<number, PeekedEnd["status"]>([
  [5, "completed"],
  [6, "failed"],
  [7, "canceled"],
]);
/** Fields before the oneof: execution id, seq, time. */
const FIRST_OF_ONEOF = 4;
const NAMESPACE = 2;
const WORKFLOW_ID = 3;
const BYTES = 2;

/**
 * Looks at the bytes of an ExecutionEvent without decoding it: of tens of thousands of events a second a few are ends,
 * and of these a few matter. Undefined for anything else, also for what is no such message: whoever decodes it will say so.
 */
export function peekEnd(bytes: Uint8Array): PeekedEnd | undefined {
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const tag = readVarint(reader);
    const field = tag >>> 3;
    if (field >= FIRST_OF_ONEOF) {
      const status = STATUSES.get(field);
      return status === undefined || (tag & 7) !== BYTES ? undefined : readEnd(reader, status);
    }
    if (!skipField(reader, tag & 7)) return undefined;
  }
  return undefined;
}

interface Reader {
  bytes: Uint8Array;
  at: number;
}

function readEnd(reader: Reader, status: PeekedEnd["status"]): PeekedEnd | undefined {
  const length = readVarint(reader);
  const end = Math.min(reader.at + length, reader.bytes.length);
  let namespace = "";
  let workflowId = "";
  while (reader.at < end) {
    const tag = readVarint(reader);
    const field = tag >>> 3;
    if ((field === NAMESPACE || field === WORKFLOW_ID) && (tag & 7) === BYTES) {
      const text = readText(reader);
      if (field === NAMESPACE) namespace = text;
      else workflowId = text;
    } else if (!skipField(reader, tag & 7)) return undefined;
  }
  return namespace === "" ? undefined : { status, namespace, workflowId };
}

/** At most 32 bits: tags and lengths are never longer, and of other numbers only their end is of interest. */
function readVarint(reader: Reader): number {
  let value = 0;
  for (let shift = 0; reader.at < reader.bytes.length; shift += 7) {
    const byte = reader.bytes[reader.at++]!;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value >>> 0;
}

function readText(reader: Reader): string {
  const length = readVarint(reader);
  const start = reader.at;
  reader.at += length;
  const { buffer, byteOffset } = reader.bytes;
  const end = Math.min(reader.at, reader.bytes.length);
  // A TextDecoder takes several times as long for texts of a few characters.
  return start >= end ? "" : Buffer.from(buffer, byteOffset + start, end - start).toString("utf8");
}

/** False for a wire type that no message of ours has. */
function skipField(reader: Reader, wireType: number): boolean {
  if (wireType === 0) readVarint(reader);
  else if (wireType === 1) reader.at += 8;
  else if (wireType === BYTES) {
    const length = readVarint(reader);
    reader.at += length;
  } else if (wireType === 5) reader.at += 4;
  else return false;
  return true;
}
