import { requestIdMemoryMs } from "./limits.ts";

/**
 * Which execution a start with a caller's key has made, for those that the projection may not show yet. All starts with a
 * key meet in the owner of the key's partition, so that this map and the projection together know every one of them.
 */
export interface RequestIds {
  /** The start under way or done with this key, if this process knows of one. */
  find(namespace: string, requestId: string): Promise<string> | undefined;
  /** Remembers a start under way; it is forgotten when it fails. */
  begin(namespace: string, requestId: string, start: Promise<string>): void;
  /** Remembers an execution that recovery found. */
  add(namespace: string, requestId: string, executionId: string): void;
  /** The execution has ended and is projected: soon the projection alone will do. */
  release(namespace: string, requestId: string): void;
  clear(): void;
}

export function createRequestIds(): RequestIds {
  const starts = new Map<string, Promise<string>>();
  const timers = new Set<NodeJS.Timeout>();

  const keep = (key: string, start: Promise<string>): void => {
    starts.set(key, start);
    start.catch(() => {
      if (starts.get(key) === start) starts.delete(key);
    });
  };

  return {
    find: (namespace, requestId) => starts.get(keyOf(namespace, requestId)),
    begin: (namespace, requestId, start) => keep(keyOf(namespace, requestId), start),
    add: (namespace, requestId, executionId) => keep(keyOf(namespace, requestId), Promise.resolve(executionId)),
    release(namespace, requestId) {
      const key = keyOf(namespace, requestId);
      const start = starts.get(key);
      if (start === undefined) return;
      // Not at once: a start that asked the database a moment ago may still be on its way to look here.
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (starts.get(key) === start) starts.delete(key);
      }, requestIdMemoryMs);
      timer.unref();
      timers.add(timer);
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      starts.clear();
    },
  };
}

function keyOf(namespace: string, requestId: string): string {
  return `${namespace}\u0000${requestId}`;
}
