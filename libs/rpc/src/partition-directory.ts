/** A live process and where it is reached, `http://host:port`; the address is empty for one that told none. */
export interface PartitionOwner {
  owner: string;
  address: string;
}

/** Who serves which partition, as far as this process knows. The runtime of @heddle/journal is one. */
export interface PartitionDirectory {
  /** Name of this process. */
  readonly owner: string;
  /** Whether calls for the partition are handled by this process: it is its owner, or about to be. */
  isOwned(partition: number): boolean;
  /**
   * The live owner; undefined while there is none. From memory, unless that knows none or `fresh` asks for a look at the
   * record.
   */
  findOwner(partition: number, options?: { fresh?: boolean }): Promise<PartitionOwner | undefined>;
  /** Whether a process of this name was alive at the latest look. */
  isLive(owner: string): boolean;
  /** Called when the record of who is alive and who owns what has changed. Returns the way to end it. */
  onOwnersChange(listener: () => void): () => void;
}
