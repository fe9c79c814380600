type Close = () => unknown;

/** What is to be closed at the end, the last one first. */
export interface Closers {
  add(close: Close): void;
  /** Closes everything, also when some of it fails; then throws the first failure. */
  closeAll(): Promise<void>;
}

export function createClosers(): Closers {
  const waiting: Close[] = [];
  return {
    add: (close) => waiting.push(close),
    async closeAll() {
      const failures: unknown[] = [];
      for (let close = waiting.pop(); close !== undefined; close = waiting.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
