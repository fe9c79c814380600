import type { Database, Queryable } from "@heddle/store";

/** This process's entry among the owners. */
export interface OwnerIdentity {
  owner: string;
  /** Of this run: tells it from an earlier one of the same name. */
  incarnation: string;
}

export interface TakenPartition {
  partition: number;
  epoch: number;
  projectedOffset: number;
  headOffset: number;
}

/** Who is there, by the database's clock. */
export interface Membership {
  /** Names of the live owners, sorted. */
  owners: string[];
  partitions: { partition: number; owner: string | null }[];
}

/** One assignment at a time per schema: owners decide about each other's partitions. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.journal_owners', 0))";

/**
 * Enters the owners. Removing the row of an earlier run of the same name first waits for its append under way, and
 * makes every later one void. Returns the fence that appends must show.
 */
export async function join(database: Database, self: OwnerIdentity, leaseDurationMs: number): Promise<number> {
  return await database.transaction(async (transaction) => {
    await transaction.query({ text: LOCK });
    await transaction.query({ text: "delete from journal_owners where owner = $1", values: [self.owner] });
    const { rows } = await transaction.query<{ fence: string }>({
      text: `insert into journal_owners (owner, incarnation, fence, expires_at)
        values ($1, $2, nextval('journal_fences'), clock_timestamp() + $3 * interval '1 ms') returning fence`,
      values: [self.owner, self.incarnation, leaseDurationMs],
    });
    return Number(rows[0]?.fence);
  });
}

/** Prolongs the lease. False when the row is gone: others took over, or a newer run of the same name did. */
export async function renew(database: Queryable, self: OwnerIdentity, leaseDurationMs: number): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "journal_renew",
    text: `update journal_owners set expires_at = clock_timestamp() + $3 * interval '1 ms'
      where owner = $1 and incarnation = $2`,
    values: [self.owner, self.incarnation, leaseDurationMs],
  });
  return rowCount === 1;
}

/** Whether another run of the same name is in the owners. */
export async function isSuperseded(database: Queryable, self: OwnerIdentity): Promise<boolean> {
  const { rowCount } = await database.query({
    text: "select 1 from journal_owners where owner = $1 and incarnation <> $2",
    values: [self.owner, self.incarnation],
  });
  return rowCount > 0;
}

/** A new fence for the same run: waits for the append under way and makes one that has not begun void. */
export async function refence(database: Queryable, self: OwnerIdentity): Promise<number | undefined> {
  const { rows } = await database.query<{ fence: string }>({
    text: `update journal_owners set fence = nextval('journal_fences')
      where owner = $1 and incarnation = $2 returning fence`,
    values: [self.owner, self.incarnation],
  });
  return rows[0] === undefined ? undefined : Number(rows[0].fence);
}

export async function readMembership(database: Queryable): Promise<Membership> {
  const { rows } = await database.query<Membership>({
    name: "journal_membership",
    text: `select
      coalesce((select array_agg(owner order by owner collate "C") from journal_owners where expires_at > clock_timestamp()), '{}') as owners,
      coalesce((select json_agg(json_build_object('partition', p.partition, 'owner', o.owner) order by p.partition)
        from journal_partitions p left join journal_owners o on o.owner = p.owner and o.expires_at > clock_timestamp()), '[]') as partitions`,
  });
  return rows[0] as Membership;
}

/**
 * Takes up to `count` partitions that nobody holds, or that this name holds without having them in memory (`held`).
 * The rows of expired owners are removed first, for the same reason as in `join`.
 */
export async function take(
  database: Database,
  self: OwnerIdentity,
  count: number,
  held: readonly number[],
): Promise<TakenPartition[]> {
  return await database.transaction(async (transaction) => {
    await transaction.query({ text: LOCK });
    await transaction.query({
      text: "delete from journal_owners where expires_at <= clock_timestamp() and owner <> $1",
      values: [self.owner],
    });
    const { rows } = await transaction.query<{
      partition: number;
      epoch: string;
      projected_offset: string;
      head_offset: string;
    }>({
      text: `update journal_partitions set owner = $1, epoch = epoch + 1
        where partition in (
          select p.partition from journal_partitions p
          where (p.owner is null or p.owner = $1 or not exists (select from journal_owners o where o.owner = p.owner))
            and not p.partition = any($3::smallint[])
            and exists (select from journal_owners o where o.owner = $1 and o.incarnation = $4)
          order by p.owner is distinct from $1, p.partition
          limit $2)
        returning partition, epoch, projected_offset, head_offset`,
      values: [self.owner, count, held, self.incarnation],
    });
    return rows.map((row) => ({
      partition: row.partition,
      epoch: Number(row.epoch),
      projectedOffset: Number(row.projected_offset),
      headOffset: Number(row.head_offset),
    }));
  });
}

/** Gives partitions back; the epochs keep a late call from touching what others have taken meanwhile. */
export async function release(
  database: Queryable,
  partitions: readonly { number: number; epoch: number }[],
): Promise<void> {
  await database.query({
    text: `update journal_partitions p set owner = null
      from unnest($1::smallint[], $2::bigint[]) as r (partition, epoch)
      where p.partition = r.partition and p.epoch = r.epoch`,
    values: [partitions.map((p) => p.number), partitions.map((p) => p.epoch)],
  });
}

/** Leaves the owners. */
export async function leave(database: Queryable, self: OwnerIdentity): Promise<void> {
  await database.query({
    text: "delete from journal_owners where owner = $1 and incarnation = $2",
    values: [self.owner, self.incarnation],
  });
}
