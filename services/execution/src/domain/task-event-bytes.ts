import type { Event } from "@heddle/engine";
import {
  beginMessage,
  numberSize,
  stringSize,
  takeMessage,
  varintSize,
  writeEnvelope,
  writeNumber,
  writeString,
  writeText,
  writeVarint,
} from "@heddle/journal-service";

/*
 * The two events that every dispatched step has, written as protobuf by hand: with the library these two took as long as deciding the
 * step. The wire form is the same to the byte, and a property test holds it against the library's.
 */

type TaskEvent = Extract<Event, { type: "task_scheduled" | "task_completed" }>;

/** Field numbers of ExecutionEvent, and of the messages within, as tags: number << 3 | wire type. */
const TAG = {
  taskScheduled: (11 << 3) | 2,
  taskCompleted: (12 << 3) | 2,
  nodeId: (1 << 3) | 2,
  attempt: 2 << 3,
  payload: (3 << 3) | 2,
  startedAtMs: 4 << 3,
  worker: (5 << 3) | 2,
  json: (1 << 3) | 2,
};

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
  beginMessage(jsonBytes + nodeIdBytes + workerBytes);

  // Lengths stand before contents, so they are added up first. A tag takes one byte: all field numbers are below 16.
  const payloadSize = json === undefined ? 0 : 1 + varintSize(jsonBytes) + jsonBytes;
  let size = stringSize(nodeIdBytes) + numberSize(event.attempt);
  if (json !== undefined) size += 1 + varintSize(payloadSize) + payloadSize;
  if (event.type === "task_completed") size += numberSize(event.startedAt) + stringSize(workerBytes);

  writeEnvelope({ id: executionId, seq, at: event.at });
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
  return takeMessage();
}
