import { create } from "@bufbuild/protobuf";
import {
  type DescribeShardsResponse,
  DescribeShardsResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import type { Database } from "@heddle/store";
import type { ShardSet } from "../shards/shard-set.ts";
import { describeShards as query } from "../store/describe-shards.ts";

/** As the database has it; a process without one is alone and owns everything. */
export async function describeShards(
  shards: ShardSet,
  database: Database | undefined,
): Promise<DescribeShardsResponse> {
  if (database === undefined) {
    const { owner } = shards.directory;
    const owned = shards.ownedShards();
    return create(DescribeShardsResponseSchema, {
      shards: owned.map((shard) => ({ shard, owner, live: true, epoch: shards.findEpoch(shard) })),
    });
  }
  const rows = await query(database);
  return create(DescribeShardsResponseSchema, {
    shards: rows.map(({ shard, owner, live, epoch }) => ({ shard, owner: owner ?? "", live, epoch: BigInt(epoch) })),
  });
}
