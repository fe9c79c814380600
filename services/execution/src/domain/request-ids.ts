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
  /** Remembers an execution whose start is committed, now or before a recovery. */
  add(namespace: string, requestId: string, executionId: string): void;
  /** The execution that a committed start with this key has made. Asked again when a start is decided: see `startNew`. */
  committed(namespace: string, requestId: string): string | undefined;
  /** The execution has ended and is projected: soon the projection alone will do. */
  release(namespace: string, requestId: string): void;
  clear(): void;
}

export function createRequestIds(): RequestIds {
  const starts = new Map<string, Promise<string>>();
  const committed = new Map<string, string>();
  const timers = new Set<NodeJS.Timeout>();

  const keep = (key: string, start: Promise<string>): void => {
    starts.set(key, start);
    start.catch(() => {
      if (starts.get(key) === start) starts.delete(key);
    });
  };

  return {
    find(namespace, requestId) {
      const key = keyOf(namespace, requestId);
      const executionId = committed.get(key);
      return executionId === undefined ? starts.get(key) : Promise.resolve(executionId);
    },
    committed: (namespace, requestId) => committed.get(keyOf(namespace, requestId)),
    begin: (namespace, requestId, start) => keep(keyOf(namespace, requestId), start),
    add: (namespace, requestId, executionId) => void committed.set(keyOf(namespace, requestId), executionId),
    release(namespace, requestId) {
      const key = keyOf(namespace, requestId);
      const executionId = committed.get(key);
      const start = starts.get(key);
      if (start === undefined && executionId === undefined) return;
      // Not at once: a start that asked the database a moment ago may still be on its way to look here.
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (starts.get(key) === start) starts.delete(key);
        if (committed.get(key) === executionId) committed.delete(key);
      }, requestIdMemoryMs);
      timer.unref();
      timers.add(timer);
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      starts.clear();
      committed.clear();
    },
  };
}

function keyOf(namespace: string, requestId: string): string {
  return `${namespace}\u0000${requestId}`;
}
