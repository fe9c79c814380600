import { SHARDS } from "@heddle/shards";
import type { Ownership, OwnershipHooks } from "./ownership.ts";

/** Owns every shard for good: for a process that no other can be beside, and that has no database to ask. */
export function createLoneOwnership(nextEpoch: () => Promise<bigint>, hooks: Pick<OwnershipHooks, "taken">): Ownership {
  return {
    async start() {
      const epoch = await nextEpoch();
      for (let shard = 0; shard < SHARDS; shard++) hooks.taken({ shard, epoch });
    },
    async stop() {},
    isValid: () => true,
    lookSoon() {},
    raiseEpoch: nextEpoch,
  };
}
