import { requestIdMemoryMs } from "./limits.ts";

/**
 * What a start with a caller's key has made, for those that the projection may not show yet. Keys are unique in a scope. All starts with a
 * key meet in the owner of the key's partition, so that this map and the projection together know every one of them.
 */
export interface RequestIds {
  /** The start under way or done with this key, if this process knows of one. */
  find(scope: string, key: string): Promise<string> | undefined;
  /** Remembers a start under way; it is forgotten when it fails. */
  begin(scope: string, key: string, start: Promise<string>): void;
  /** Remembers something whose start is committed, now or before a recovery. */
  add(scope: string, key: string, id: string): void;
  /** What a committed start with this key has made. Asked again when a start is decided: see `startOnce`. */
  committed(scope: string, key: string): string | undefined;
  /** What the key has made has ended and is projected: soon the projection alone will do. */
  release(scope: string, key: string): void;
  /** What has these ids has gone to another process, which alone knows from now on what becomes of them. */
  forget(hasGone: (id: string) => boolean): void;
  clear(): void;
}

export function createRequestIds(): RequestIds {
  const starts = new Map<string, Promise<string>>();
  const committed = new Map<string, string>();
  const timers = new Set<NodeJS.Timeout>();

  return {
    find(scope, key) {
      const name = nameOf(scope, key);
      const id = committed.get(name);
      return id === undefined ? starts.get(name) : Promise.resolve(id);
    },
    committed: (scope, key) => committed.get(nameOf(scope, key)),
    begin(scope, key, start) {
      const name = nameOf(scope, key);
      starts.set(name, start);
      start.catch(() => {
        if (starts.get(name) === start) starts.delete(name);
      });
    },
    add: (scope, key, id) => void committed.set(nameOf(scope, key), id),
    release(scope, key) {
      const name = nameOf(scope, key);
      const id = committed.get(name);
      const start = starts.get(name);
      if (start === undefined && id === undefined) return;
      // Not at once: a start that asked the database a moment ago may still be on its way to look here.
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (starts.get(name) === start) starts.delete(name);
        if (committed.get(name) === id) committed.delete(name);
      }, requestIdMemoryMs);
      timer.unref();
      timers.add(timer);
    },
    forget(hasGone) {
      for (const [name, id] of committed) {
        if (!hasGone(id)) continue;
        committed.delete(name);
        starts.delete(name);
      }
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      starts.clear();
      committed.clear();
    },
  };
}

function nameOf(scope: string, key: string): string {
  return `${scope}\u0000${key}`;
}
