import type { QueuedCommand } from "./partition.ts";

const DEFAULT_COMMAND_BYTES = 256;

/** First in, first out, with the size of what waits. */
export interface CommandQueue<Command> {
  readonly length: number;
  readonly sizeBytes: number;
  push(item: QueuedCommand<Command>): void;
  /** Puts commands that were here before in front again, in their order. */
  unshift(items: readonly QueuedCommand<Command>[]): void;
  shift(): QueuedCommand<Command> | undefined;
  /** Empties the queue. */
  drain(): QueuedCommand<Command>[];
}

/** Consumed items are cut off in stretches: shifting an array one by one moves the rest each time. */
const COMPACT_AT = 1_024;

export function createCommandQueue<Command>(): CommandQueue<Command> {
  let items: (QueuedCommand<Command> | undefined)[] = [];
  let head = 0;
  let sizeBytes = 0;

  return {
    get length() {
      return items.length - head;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    push(item) {
      items.push(item);
      sizeBytes += sizeOf(item);
    },
    unshift(again) {
      items = [...again, ...items.slice(head)];
      head = 0;
      for (const item of again) sizeBytes += sizeOf(item);
    },
    shift() {
      const item = items[head];
      if (item === undefined) return undefined;
      items[head++] = undefined;
      sizeBytes -= sizeOf(item);
      if (head === items.length) {
        items.length = 0;
        head = 0;
      } else if (head >= COMPACT_AT && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    drain() {
      const rest = items.slice(head) as QueuedCommand<Command>[];
      items = [];
      head = 0;
      sizeBytes = 0;
      return rest;
    },
  };
}

function sizeOf<Command>(item: QueuedCommand<Command>): number {
  return "timer" in item ? 0 : (item.sizeBytes ?? DEFAULT_COMMAND_BYTES);
}
