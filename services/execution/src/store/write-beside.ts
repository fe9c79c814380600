import type { Projection } from "@heddle/journal";
import type { Transaction } from "@heddle/store";
import type { Execution } from "../domain/aggregate.ts";

/** A table that says of executions what `executions` does not, for lists of another kind. All of it follows from their states. */
export interface SideTable<Captured> {
  /** What must be written for one execution; undefined when nothing must. Synchronous: the next turn changes the state in place. */
  capture(aggregate: { id: string; partition: number; execution: Execution }): Captured | undefined;
  write(transaction: Transaction, captured: readonly Captured[]): Promise<void>;
  /** What `write` was given is committed. Not called for what failed, and for what may or may not be there: it is captured anew. */
  written(captured: readonly Captured[]): void;
}

interface WithSide<Inner, Side> {
  inner: Inner;
  side: Side | undefined;
}

/** Writes the table in the transaction of another projection, behind that: rows may refer to those of `executions`. */
export function writeBeside<Inner, Side>(
  inner: Projection<Execution, Inner>,
  table: SideTable<Side>,
): Projection<Execution, WithSide<Inner, Side>> {
  return {
    capture(aggregate) {
      const { id, partition, state: execution } = aggregate;
      return { inner: inner.capture(aggregate), side: table.capture({ id, partition, execution }) };
    },
    async write(transaction, changes) {
      await inner.write(
        transaction,
        changes.map((change) => ({ ...change, captured: change.captured.inner })),
      );
      const sides = changes.flatMap(({ captured: { side } }) => (side === undefined ? [] : [side]));
      if (sides.length > 0) await table.write(transaction, sides);
    },
    written(changes) {
      inner.written?.(changes.map((change) => ({ ...change, captured: change.captured.inner })));
      table.written(changes.flatMap(({ captured: { side } }) => (side === undefined ? [] : [side])));
    },
    loadLive: (partition) => inner.loadLive(partition),
    load: (ids) => inner.load(ids),
  };
}
