import type { ServiceImpl } from "@connectrpc/connect";
import { DiagnosticsService } from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import { createOwnerRouter, type Dial } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { ShardSet } from "../shards/shard-set.ts";
import { shardNotOwned } from "../shards/not-owned.ts";
import { describeParkedEvents } from "./describe-parked-events.ts";
import { describeShards } from "./describe-shards.ts";
import { inspectShard } from "./inspect-shard.ts";

/** What the scheduler tells of itself to whoever checks its promises: leases from the database, the rest at the shard's owner. */
export function createDiagnostics(
  shards: ShardSet,
  options: { database: Database | undefined; dial: Dial | undefined },
): ServiceImpl<typeof DiagnosticsService> {
  const router = createOwnerRouter({ directory: shards.directory, dial: options.dial });
  return {
    describeShards: () => describeShards(shards, options.database),
    describeParkedEvents: () => describeParkedEvents(options.database),
    inspectShard: router.stream(DiagnosticsService.method.inspectShard, {
      partitionOf: ({ shard }) => shard,
      handle(request) {
        const context = shards.findContext(request.shard);
        const epoch = shards.findEpoch(request.shard);
        if (context === undefined || epoch === undefined) throw shardNotOwned(request.shard, undefined);
        return inspectShard(context, epoch, request);
      },
      // Each task is told as of its own moment: a new owner tells of all of them again.
      resume: (request) => request,
    }),
  };
}
