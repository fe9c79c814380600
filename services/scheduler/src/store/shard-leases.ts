import type { Queryable } from "@heddle/store";

/** This process's entry among the owners. */
export interface OwnerIdentity {
  owner: string;
  /** Of this run: tells it from an earlier one of the same name. */
  incarnation: string;
}

export interface TakenShard {
  shard: number;
  epoch: bigint;
}

/** Who is there, by the database's clock. */
export interface Membership {
  /** Live owners by name, with the time that their leases have left. */
  owners: { owner: string; address: string; expiresInMs: number }[];
  shards: { shard: number; owner: string | null }[];
}

/** One assignment at a time per schema: owners decide about each other's shards. Held to the end of the transaction. */
export async function lockAssignment(transaction: Queryable): Promise<void> {
  await transaction.query({
    text: "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.scheduler_owners', 0))",
  });
}

/** Enters the owners, in place of an earlier run of the same name. Needs the lock. */
export async function join(
  transaction: Queryable,
  self: OwnerIdentity,
  address: string,
  leaseDurationMs: number,
): Promise<void> {
  await transaction.query({
    text: `insert into scheduler_owners (owner, incarnation, address, expires_at)
      values ($1, $2, $3, clock_timestamp() + $4 * interval '1 ms')
      on conflict (owner) do update set incarnation = excluded.incarnation, address = excluded.address, expires_at = excluded.expires_at`,
    values: [self.owner, self.incarnation, address, leaseDurationMs],
  });
}

/** Prolongs the lease, also one that has run out. False when the row is gone: others took over, or a newer run did. */
export async function renew(database: Queryable, self: OwnerIdentity, leaseDurationMs: number): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "scheduler_renew",
    text: `update scheduler_owners set expires_at = clock_timestamp() + $3 * interval '1 ms'
      where owner = $1 and incarnation = $2`,
    values: [self.owner, self.incarnation, leaseDurationMs],
  });
  return rowCount === 1;
}

/** Whether another run of the same name is in the owners. */
export async function isSuperseded(database: Queryable, self: OwnerIdentity): Promise<boolean> {
  const { rowCount } = await database.query({
    text: "select 1 from scheduler_owners where owner = $1 and incarnation <> $2",
    values: [self.owner, self.incarnation],
  });
  return rowCount > 0;
}

export async function readMembership(database: Queryable): Promise<Membership> {
  const { rows } = await database.query<Membership>({
    name: "scheduler_membership",
    text: `select
      coalesce((select json_agg(json_build_object('owner', owner, 'address', address,
          'expiresInMs', extract(epoch from expires_at - clock_timestamp()) * 1000) order by owner collate "C")
        from scheduler_owners where expires_at > clock_timestamp()), '[]') as owners,
      coalesce((select json_agg(json_build_object('shard', shard, 'owner', owner) order by shard)
        from scheduler_shards), '[]') as shards`,
  });
  return rows[0] as Membership;
}

/**
 * Takes up to `count` shards that nobody holds, or that this name holds without having them in memory (`held`). The rows
 * of expired owners are removed first: one that is late finds that it has lost everything. Needs the lock.
 */
export async function take(
  transaction: Queryable,
  self: OwnerIdentity,
  count: number,
  held: readonly number[],
): Promise<TakenShard[]> {
  await transaction.query({
    text: "delete from scheduler_owners where expires_at <= clock_timestamp() and owner <> $1",
    values: [self.owner],
  });
  const { rows } = await transaction.query<{ shard: number; epoch: string }>({
    text: `update scheduler_shards set owner = $1, epoch = epoch + 1
      where shard in (
        select s.shard from scheduler_shards s
        where (s.owner is null or s.owner = $1 or not exists (select from scheduler_owners o where o.owner = s.owner))
          and not s.shard = any($3::smallint[])
          and exists (select from scheduler_owners o where o.owner = $1 and o.incarnation = $4)
        order by s.owner is distinct from $1, s.shard
        limit $2)
      returning shard, epoch`,
    values: [self.owner, count, held, self.incarnation],
  });
  return rows.map(({ shard, epoch }) => ({ shard, epoch: BigInt(epoch) }));
}

/** The next epoch of a shard that stays where it is: its tokens are nearly used up. Undefined when it was lost. */
export async function raiseEpoch(database: Queryable, taken: TakenShard): Promise<bigint | undefined> {
  const { rows } = await database.query<{ epoch: string }>({
    text: "update scheduler_shards set epoch = epoch + 1 where shard = $1 and epoch = $2 returning epoch",
    values: [taken.shard, String(taken.epoch)],
  });
  return rows[0] === undefined ? undefined : BigInt(rows[0].epoch);
}

/** Gives shards back; the epochs keep a late call from touching what others have taken meanwhile. */
export async function release(database: Queryable, shards: readonly TakenShard[]): Promise<void> {
  await database.query({
    text: `update scheduler_shards s set owner = null
      from unnest($1::smallint[], $2::bigint[]) as r (shard, epoch)
      where s.shard = r.shard and s.epoch = r.epoch`,
    values: [shards.map(({ shard }) => shard), shards.map(({ epoch }) => String(epoch))],
  });
}

/** Leaves the owners. */
export async function leave(database: Queryable, self: OwnerIdentity): Promise<void> {
  await database.query({
    text: "delete from scheduler_owners where owner = $1 and incarnation = $2",
    values: [self.owner, self.incarnation],
  });
}
