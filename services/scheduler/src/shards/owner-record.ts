import type { PartitionOwner } from "@heddle/rpc";
import type { Membership } from "../store/shard-leases.ts";

/** Who owned what when the database was last asked. Leases in it run out by this process's own clock. */
export interface OwnerRecord {
  update(membership: Membership): void;
  /** The owner of a shard, as long as its lease has more than `leftMs` left; undefined when there is none such. */
  findOwner(shard: number, leftMs: number): PartitionOwner | undefined;
  isLive(owner: string): boolean;
  /** Calls the listener after each look at the record, whether or not it had changed. @returns a function that ends it. */
  onUpdate(listener: () => void): () => void;
}

export function createOwnerRecord(now: () => number = () => performance.now()): OwnerRecord {
  const listeners = new Set<() => void>();
  const owners = new Map<string, { address: string; expiresAt: number }>();
  const ownerOf = new Map<number, string>();

  return {
    update(membership) {
      const at = now();
      owners.clear();
      ownerOf.clear();
      for (const { owner, address, expiresInMs } of membership.owners) {
        owners.set(owner, { address, expiresAt: at + expiresInMs });
      }
      for (const { shard, owner } of membership.shards) if (owner !== null) ownerOf.set(shard, owner);
      for (const listener of [...listeners]) listener();
    },
    findOwner(shard, leftMs) {
      const owner = ownerOf.get(shard) ?? "";
      const entry = owners.get(owner);
      if (entry === undefined || entry.expiresAt - now() <= leftMs) return undefined;
      return { owner, address: entry.address };
    },
    isLive: (owner) => (owners.get(owner)?.expiresAt ?? 0) > now(),
    onUpdate(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
