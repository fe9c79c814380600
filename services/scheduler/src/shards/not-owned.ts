import { DomainError } from "@heddle/errors";
import type { PartitionOwner } from "@heddle/rpc";

/** The refusal of whatever is about a shard that this replica does not own. */
export function shardNotOwned(shard: number, owner: PartitionOwner | undefined): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "SHARD_NOT_OWNED",
    message:
      owner === undefined
        ? `shard ${shard} of the namespaces has no owner at the moment that this replica could reach; try again`
        : `shard ${shard} of the namespaces is owned by ${owner.owner} at ${owner.address}; connect there`,
    metadata: { shard: String(shard), owner_address: owner?.address ?? "" },
    retryAfterMs: 50,
  });
}
