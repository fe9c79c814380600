/** Which shards of namespaces this replica owns: what must run in one place only asks here. */
export interface ShardOwnership {
  /**
   * Whether this replica owns the namespace's shard now, by a lease that has not run out. To be asked before each effect:
   * a process that was stopped finds out here that it must do nothing any more.
   */
  isOwner(namespace: string): boolean;
  /** The shards that it owns now, in ascending order; none while its lease has run out. */
  ownedShards(): readonly number[];
  /**
   * The epoch of a shard that this replica owns; undefined for others. It grows at every takeover, and statements of a
   * replica that lost the shard can be made void by it: `exists (select from scheduler_shards where shard = … and epoch = …)`.
   */
  findEpoch(shard: number): bigint | undefined;
  /** Calls the listener after shards were taken, lost, or after their epochs grew. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
}
