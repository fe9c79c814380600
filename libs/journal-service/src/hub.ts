/** Tells who is interested in an execution that something was committed for it. */
export interface Hub {
  /** `listener` is called after each commit; it must not throw. Returns the way to end it. */
  subscribe(id: string, listener: () => void): () => void;
  notify(id: string): void;
  /** Wakes everyone: the process stops, or has lost a partition. */
  notifyAll(): void;
  readonly size: number;
}

export function createHub(): Hub {
  const listeners = new Map<string, Set<() => void>>();
  let size = 0;
  return {
    subscribe(id, listener) {
      let own = listeners.get(id);
      if (own === undefined) listeners.set(id, (own = new Set()));
      own.add(listener);
      size += 1;
      return () => {
        if (!own.delete(listener)) return;
        size -= 1;
        if (own.size === 0 && listeners.get(id) === own) listeners.delete(id);
      };
    },
    notify(id) {
      const own = listeners.get(id);
      if (own !== undefined) for (const listener of own) listener();
    },
    notifyAll() {
      for (const own of listeners.values()) for (const listener of own) listener();
    },
    get size() {
      return size;
    },
  };
}
