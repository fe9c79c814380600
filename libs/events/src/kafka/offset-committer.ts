import type { AssignedPartitions, PartitionOffset } from "./assigned-partitions.ts";

/** Commits what is handled, one request at a time and not more often than the interval. */
export interface OffsetCommitter {
  /** There is something to commit. */
  wake(): void;
  /** Commits now, and once more what was handled meanwhile. */
  flush(): Promise<void>;
  stop(): void;
}

export interface OffsetCommitterOptions {
  partitions: Pick<AssignedPartitions, "uncommitted" | "noteCommitted">;
  intervalMs: number;
  /** One attempt, under the generation that is current when it is called: it must not be repeated under a later one. */
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  onFailed(error: unknown): void;
}

export function createOffsetCommitter(options: OffsetCommitterOptions): OffsetCommitter {
  const { partitions, intervalMs, commit, onFailed } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  async function commitOnce(): Promise<void> {
    const offsets = partitions.uncommitted();
    if (offsets.length === 0) return;
    try {
      await commit(offsets);
      partitions.noteCommitted(offsets);
    } catch (error) {
      // Nothing is lost: they stay uncommitted, and are tried again or handled again by whoever has the partition then.
      onFailed(error);
      wake();
    }
  }

  function run(): Promise<void> {
    running ??= commitOnce().finally(() => {
      running = undefined;
    });
    return running;
  }

  function wake(): void {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void run();
    }, intervalMs);
  }

  return {
    wake,
    async flush() {
      if (running !== undefined) await running;
      await run();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
