import type { Mark, PositionKey, PositionStore } from "./position-store.ts";

/** Changes of one transaction that is not committed yet. */
export interface MemoryTransaction {
  readonly changes: Map<string, Mark>;
}

/** Positions for consumers whose effects live in memory too. Transactions run one after the other. */
export function createMemoryPositionStore(): PositionStore<MemoryTransaction> {
  const committed = new Map<string, Mark>();
  let last: Promise<unknown> = Promise.resolve();

  return {
    transaction(work) {
      const run = async () => {
        const transaction: MemoryTransaction = { changes: new Map() };
        const result = await work(transaction);
        for (const [key, mark] of transaction.changes) committed.set(key, mark);
        return result;
      };
      const result = last.then(run, run);
      last = result;
      return result;
    },
    lock: async ({ changes }, keys) => keys.map((key) => changes.get(text(key)) ?? committed.get(text(key))),
    async save({ changes }, marks) {
      for (const { key, mark } of marks) changes.set(text(key), mark);
    },
  };
}

function text({ group, topic, partition, source }: PositionKey): string {
  return JSON.stringify([group, topic, partition, source]);
}
