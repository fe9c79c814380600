/** Pauses between the tries of what goes on in the background; they end early when it is stopped. */
export interface Pauses {
  /** Resolves after this time, or with `end`. */
  pause(ms: number): Promise<void>;
  /** Ends those under way. Whoever goes on must ask whether it was stopped. */
  end(): void;
}

export function createPauses(): Pauses {
  const ends = new Set<() => void>();
  return {
    pause: (ms) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          ends.delete(end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        ends.add(end);
      }),
    end() {
      for (const end of ends) end();
    },
  };
}
