import type { Event } from "@heddle/engine";

/*
 * Events written as protobuf by hand, as far as it pays: the library asks each of the many kinds of ExecutionEvent whether it is the one.
 * What is around every event is written here, and so are as a whole the two that every dispatched step has. The wire form is the same
 * to the byte, and a property test holds it against the library's.
 */

type TaskEvent = Extract<Event, { type: "task_scheduled" | "task_completed" }>;

/** Field numbers of ExecutionEvent, and of the messages within, as tags: number << 3 | wire type. */
const TAG = {
  executionId: (1 << 3) | 2,
  seq: 2 << 3,
  occurredAt: (3 << 3) | 2,
  taskScheduled: (11 << 3) | 2,
  taskCompleted: (12 << 3) | 2,
  seconds: 1 << 3,
  nanos: 2 << 3,
  nodeId: (1 << 3) | 2,
  attempt: 2 << 3,
  payload: (3 << 3) | 2,
  startedAtMs: 4 << 3,
  worker: (5 << 3) | 2,
  json: (1 << 3) | 2,
};

/** Everything but the payload is bounded by the limits on ids and names; this is far above. */
const OVERHEAD_BYTES = 4096;
let buffer = Buffer.allocUnsafeSlow(256 * 1024);
let position = 0;

/** An event of any kind: `field` is its number in ExecutionEvent, `content` its message in bytes. */
export function encodeEnvelope(
  executionId: string,
  seq: number,
  at: number,
  { field, content }: { field: number; content: Uint8Array },
): Uint8Array {
  reserve(content.length + OVERHEAD_BYTES);
  position = 0;
  writeEnvelope(executionId, seq, at);
  writeVarint((field << 3) | 2);
  writeVarint(content.length);
  buffer.set(content, position);
  position += content.length;
  return taken();
}

/** `json` is the text of the input or output; undefined leaves the payload out. */
export function encodeTaskEvent(
  executionId: string,
  seq: number,
  event: TaskEvent,
  json: string | undefined,
): Uint8Array {
  const jsonBytes = json === undefined ? 0 : Buffer.byteLength(json);
  const nodeIdBytes = Buffer.byteLength(event.nodeId);
  const workerBytes = event.type === "task_completed" ? Buffer.byteLength(event.worker) : 0;
  reserve(jsonBytes + nodeIdBytes + workerBytes + OVERHEAD_BYTES);

  // Lengths stand before contents, so they are added up first. A tag takes one byte: all field numbers are below 16.
  const payloadSize = json === undefined ? 0 : 1 + varintSize(jsonBytes) + jsonBytes;
  let size = stringSize(nodeIdBytes) + numberSize(event.attempt);
  if (json !== undefined) size += 1 + varintSize(payloadSize) + payloadSize;
  if (event.type === "task_completed") size += numberSize(event.startedAt) + stringSize(workerBytes);

  position = 0;
  writeEnvelope(executionId, seq, event.at);
  writeVarint(event.type === "task_completed" ? TAG.taskCompleted : TAG.taskScheduled);
  writeVarint(size);
  writeString(TAG.nodeId, event.nodeId, nodeIdBytes);
  writeNumber(TAG.attempt, event.attempt);
  if (json !== undefined) {
    writeVarint(TAG.payload);
    writeVarint(payloadSize);
    // A oneof is written even when it is empty, other than a plain field.
    writeVarint(TAG.json);
    writeVarint(jsonBytes);
    writeText(json, jsonBytes);
  }
  if (event.type === "task_completed") {
    writeNumber(TAG.startedAtMs, event.startedAt);
    writeString(TAG.worker, event.worker, workerBytes);
  }
  return taken();
}

/** From the pool of Buffer: an array of its own for each small event would cost more than writing it. */
function taken(): Uint8Array {
  return Buffer.from(buffer.subarray(0, position));
}

function writeEnvelope(executionId: string, seq: number, at: number): void {
  writeString(TAG.executionId, executionId, executionId.length);
  writeNumber(TAG.seq, seq);
  writeTime(at);
}

function reserve(bytes: number): void {
  if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(bytes * 2);
}

function writeTime(ms: number): void {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  writeVarint(TAG.occurredAt);
  writeVarint(numberSize(seconds) + numberSize(nanos));
  writeNumber(TAG.seconds, seconds);
  writeNumber(TAG.nanos, nanos);
}

/** Plain fields with their default value are left out. */
function writeNumber(tag: number, value: number): void {
  if (value === 0) return;
  writeVarint(tag);
  writeVarint(value);
}

function writeString(tag: number, text: string, bytes: number): void {
  if (bytes === 0) return;
  writeVarint(tag);
  writeVarint(bytes);
  writeText(text, bytes);
}

function writeText(text: string, bytes: number): void {
  // Texts of ASCII only, which most are, need no transcoding.
  buffer.write(text, position, bytes === text.length ? "latin1" : "utf8");
  position += bytes;
}

/** Whole numbers from 0 to 2^53: above 2^31 bit operations would cut them. */
function writeVarint(value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    buffer[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position++] = rest;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

function stringSize(bytes: number): number {
  return bytes === 0 ? 0 : 1 + varintSize(bytes) + bytes;
}
