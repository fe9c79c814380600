import type { SourcePosition } from "./event-message.ts";

/** Which high-water mark: how far one group got in what one partition of a topic holds of one source. */
export interface PositionKey {
  readonly group: string;
  readonly topic: string;
  /**
   * Partition of the bus. It is part of the key because only within it do events of one partition of a journal come in
   * the journal's order: a mark shared by two would skip what the slower one still has to get.
   */
  readonly partition: number;
  /** `ce_source` and partition of the journal, as `/heddle/execution#17`. */
  readonly source: string;
}

/** The last event that took effect. */
export type Mark = Pick<SourcePosition, "offset" | "index">;

/** Keeps marks beside the effects of a consumer, so that both move in one transaction or not at all. */
export interface PositionStore<Transaction> {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * The marks of these keys, undefined where there is none, in the order of the keys. Holds them until the transaction
   * ends: a second consumer that believes to own the partition waits, and then sees what the first one did.
   */
  lock(transaction: Transaction, keys: readonly PositionKey[]): Promise<(Mark | undefined)[]>;
  save(transaction: Transaction, marks: readonly { key: PositionKey; mark: Mark }[]): Promise<void>;
}
