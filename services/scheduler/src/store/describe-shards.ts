import type { Queryable } from "@heddle/store";

/** A shard by the database's own clock. */
export interface ShardRow {
  shard: number;
  /** Null when it is assigned to nobody. */
  owner: string | null;
  live: boolean;
  epoch: string;
}

export async function describeShards(database: Queryable): Promise<ShardRow[]> {
  const { rows } = await database.query<ShardRow>({
    text: `select s.shard, s.owner, o.owner is not null as live, s.epoch from scheduler_shards s
      left join scheduler_owners o on o.owner = s.owner and o.expires_at > clock_timestamp()
      order by s.shard`,
  });
  return rows;
}
