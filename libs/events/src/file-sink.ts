import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Registry } from "@bufbuild/protobuf";
import { type CloudEventJson, findCloudEventPosition, toCloudEventJson } from "./cloud-event-json.ts";
import { comparePositions, type EventMessage, findSourcePosition, type SourcePosition } from "./event-message.ts";
import type { EventSink } from "./journal-forwarder.ts";
import { fileMaxLineBytes, fileReadBytes } from "./limits.ts";

export interface FileSinkOptions {
  /** The folder is made when it is missing. One process at a time may write the file. */
  path: string;
  /** Knows the types of the events; one of an unknown type is written with its bytes in base64. */
  registry: Registry;
}

/** An event log for one machine: a text file with one CloudEvent in JSON per line, in the order of publishing. */
export interface FileSink extends EventSink {
  /**
   * Resolves when the lines are on the disk. What the file already holds is left out, also what an earlier process
   * wrote, as long as each source publishes in order. When it rejects, publish the same batch again.
   */
  publish(batch: readonly EventMessage[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log and finds the last position of each source in it, by reading it once. A line that a crash cut off is
 * removed: its event was not acknowledged and comes again. Rejects when the file holds something else.
 */
export async function createFileSink(options: FileSinkOptions): Promise<FileSink> {
  const { path, registry } = options;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  let size: number;
  const marks = new Map<string, SourcePosition>();
  try {
    size = await readMarks(file, path, marks);
    await file.truncate(size);
  } catch (error) {
    await file.close();
    throw error;
  }
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  async function append(batch: readonly EventMessage[]): Promise<void> {
    if (closed) throw new Error(`the event log ${path} is closed`);
    const moved = new Map<string, SourcePosition>();
    const lines: string[] = [];
    for (const message of batch) {
      const position = findSourcePosition(message);
      const source = position && sourceKey(message.topic, message.headers.ce_source, position.partition);
      if (position !== undefined && source !== undefined) {
        const mark = moved.get(source) ?? marks.get(source);
        if (mark !== undefined && comparePositions(position, mark) <= 0) continue;
        moved.set(source, position);
      }
      lines.push(`${JSON.stringify(toCloudEventJson(message, registry))}\n`);
    }
    if (lines.length === 0) return;
    const text = Buffer.from(lines.join(""));
    try {
      await file.appendFile(text);
      await file.datasync();
    } catch (error) {
      // Half a batch may be there (disk full): without it the next attempt would write those lines twice.
      await file.truncate(size);
      throw error;
    }
    size += text.length;
    for (const [source, position] of moved) marks.set(source, position);
  }

  return {
    publish(batch) {
      const result = last.then(() => append(batch));
      last = result.catch(ignore);
      return result;
    },
    async close() {
      await last;
      if (closed) return;
      closed = true;
      await file.close();
    },
  };
}

/** Gives the length of the file up to its last whole line. */
async function readMarks(file: FileHandle, path: string, marks: Map<string, SourcePosition>): Promise<number> {
  const chunk = Buffer.alloc(fileReadBytes);
  let rest = Buffer.alloc(0);
  let at = 0;
  let lines = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return at - rest.length;
    at += bytesRead;
    let text = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      lines += 1;
      noteMark(text.toString("utf8", 0, end), `${path}:${lines}`, marks);
      text = text.subarray(end + 1);
    }
    if (text.length > fileMaxLineBytes)
      throw new Error(`${path}:${lines + 1} is not a line of an event log: it has no end`);
    rest = text;
  }
}

function noteMark(line: string, place: string, marks: Map<string, SourcePosition>): void {
  let event: Partial<CloudEventJson>;
  try {
    event = JSON.parse(line) as Partial<CloudEventJson>;
  } catch (error) {
    throw new Error(`${place} is not a line of an event log; move the file away, or give another path`, {
      cause: error,
    });
  }
  const position = findCloudEventPosition(event);
  if (position === undefined) return;
  marks.set(sourceKey(event.type ?? "", event.source ?? "", position.partition), position);
}

function sourceKey(topic: string, source: string, partition: number): string {
  return `${topic} ${source}#${partition}`;
}

function ignore(): void {}
