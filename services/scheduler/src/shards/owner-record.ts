import type { PartitionOwner } from "@heddle/rpc";
import type { Membership } from "../store/shard-leases.ts";

/** Who owned what when the database was last asked. Leases in it run out by this process's own clock. */
export interface OwnerRecord {
  update(membership: Membership): void;
  /** The owner of a shard, as long as its lease has more than `leftMs` left; undefined when there is none such. */
  findOwner(shard: number, leftMs: number): PartitionOwner | undefined;
  isLive(owner: string): boolean;
  /** The owner could not be reached: `findOwner` with a time that must be left gives it to nobody for as long. */
  suspect(owner: string, forMs: number): void;
  /** Calls the listener after each look at the record, whether or not it had changed. @returns a function that ends it. */
  onUpdate(listener: () => void): () => void;
}

export function createOwnerRecord(now: () => number = () => performance.now()): OwnerRecord {
  const listeners = new Set<() => void>();
  const owners = new Map<string, { address: string; expiresAt: number }>();
  const ownerOf = new Map<number, string>();
  const suspectUntil = new Map<string, number>();

  return {
    update(membership) {
      const at = now();
      for (const [owner, until] of suspectUntil) if (until <= at) suspectUntil.delete(owner);
      owners.clear();
      ownerOf.clear();
      for (const { owner, address, expiresInMs } of membership.owners) {
        owners.set(owner, { address, expiresAt: at + expiresInMs });
      }
      for (const { shard, owner } of membership.shards) if (owner !== null) ownerOf.set(shard, owner);
      for (const listener of listeners) listener();
    },
    findOwner(shard, leftMs) {
      const owner = ownerOf.get(shard) ?? "";
      const entry = owners.get(owner);
      const at = now();
      if (entry === undefined || entry.expiresAt - at <= leftMs) return undefined;
      if (leftMs > 0 && (suspectUntil.get(owner) ?? 0) > at) return undefined;
      return { owner, address: entry.address };
    },
    isLive: (owner) => (owners.get(owner)?.expiresAt ?? 0) > now(),
    suspect: (owner, forMs) => void suspectUntil.set(owner, now() + forMs),
    onUpdate(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
