import type { Queryable } from "@heddle/store";
import { type LeaseSession, OWNERS_CHANNEL } from "./lease-session.ts";

/** This process's entry among the owners. */
export interface OwnerIdentity {
  owner: string;
  /** Of one stay among the owners: tells it from earlier ones of the same name. */
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
  /** By name. Those whose lease has run out are there until somebody takes over from them. */
  owners: { owner: string; address: string; expiresInMs: number }[];
  partitions: { partition: number; owner: string | null }[];
}

/** One assignment at a time per schema: owners decide about each other's partitions. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.journal_owners', 0))";
const NOTIFY = `select pg_notify('${OWNERS_CHANNEL}', current_schema())`;

/**
 * Enters the owners. Removing the row of an earlier run of the same name first waits for its append under way, and
 * makes every later one void. Returns the fence that appends must show.
 */
export async function join(
  session: LeaseSession,
  self: OwnerIdentity,
  address: string,
  leaseDurationMs: number,
): Promise<number> {
  return await session.transaction(async (transaction) => {
    await transaction.query({ text: LOCK });
    await transaction.query({ text: "delete from journal_owners where owner = $1", values: [self.owner] });
    const { rows } = await transaction.query<{ fence: string }>({
      text: `insert into journal_owners (owner, incarnation, address, fence, expires_at)
        values ($1, $2, $3, nextval('journal_fences'), clock_timestamp() + $4 * interval '1 ms') returning fence`,
      values: [self.owner, self.incarnation, address, leaseDurationMs],
    });
    await transaction.query({ text: NOTIFY });
    return Number(rows[0]?.fence);
  });
}

/**
 * Prolongs the lease, also one that has run out: while the row is there, nobody has taken anything from this run. False
 * when the row is gone: others took over, or a newer run of the same name did.
 */
export async function renew(session: Queryable, self: OwnerIdentity, leaseDurationMs: number): Promise<boolean> {
  const { rowCount } = await session.query({
    name: "journal_renew",
    text: `update journal_owners set expires_at = clock_timestamp() + $3 * interval '1 ms'
      where owner = $1 and incarnation = $2`,
    values: [self.owner, self.incarnation, leaseDurationMs],
  });
  return rowCount === 1;
}

/** Whether another run of the same name is in the owners. */
export async function isSuperseded(
  session: Queryable,
  owner: string,
  incarnations: readonly string[],
): Promise<boolean> {
  const { rowCount } = await session.query({
    text: "select 1 from journal_owners where owner = $1 and incarnation <> all($2::uuid[])",
    values: [owner, incarnations],
  });
  return rowCount > 0;
}

/**
 * A new fence for the same run: waits for the append under way and makes one that has not begun void. Undefined when the
 * row is gone, and then whoever removed it has done the same.
 */
export async function refence(database: Queryable, self: OwnerIdentity): Promise<number | undefined> {
  const { rows } = await database.query<{ fence: string }>({
    // Locked for update first: the update alone, which changes no key, would not wait for an append's lock.
    text: `with mine as materialized (
        select owner from journal_owners where owner = $1 and incarnation = $2 for update)
      update journal_owners o set fence = nextval('journal_fences') from mine
      where o.owner = mine.owner and o.incarnation = $2 returning fence`,
    values: [self.owner, self.incarnation],
  });
  return rows[0] === undefined ? undefined : Number(rows[0].fence);
}

export async function readMembership(database: Queryable): Promise<Membership> {
  const { rows } = await database.query<Membership>({
    name: "journal_membership",
    text: `select
      coalesce((select json_agg(json_build_object('owner', owner, 'address', address,
          'expiresInMs', extract(epoch from expires_at - clock_timestamp()) * 1000) order by owner collate "C")
        from journal_owners), '[]') as owners,
      coalesce((select json_agg(json_build_object('partition', partition, 'owner', owner) order by partition)
        from journal_partitions), '[]') as partitions`,
  });
  return rows[0] as Membership;
}

/**
 * Takes up to `count` partitions that nobody holds, or that this name holds without having them in memory (`held`). With
 * `takeOver` also those of owners whose lease has run out; their rows are removed first, for the same reason as in `join`.
 */
export async function take(
  session: LeaseSession,
  self: OwnerIdentity,
  count: number,
  held: readonly number[],
  takeOver: boolean,
): Promise<TakenPartition[]> {
  return await session.transaction(async (transaction) => {
    await transaction.query({ text: LOCK });
    if (takeOver) {
      await transaction.query({
        text: "delete from journal_owners where expires_at <= clock_timestamp() and owner <> $1",
        values: [self.owner],
      });
    }
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
    await transaction.query({ text: NOTIFY });
    return rows.map((row) => ({
      partition: row.partition,
      epoch: Number(row.epoch),
      projectedOffset: Number(row.projected_offset),
      headOffset: Number(row.head_offset),
    }));
  });
}

/** Gives back all partitions that this run holds, but for `kept`. Any that others have taken are left alone. */
export async function releaseAllBut(
  session: LeaseSession,
  self: OwnerIdentity,
  kept: readonly number[],
): Promise<void> {
  await session.transaction(async (transaction) => {
    await transaction.query({
      text: `update journal_partitions set owner = null
        where owner = $1 and not partition = any($3::smallint[])
          and exists (select from journal_owners o where o.owner = $1 and o.incarnation = $2)`,
      values: [self.owner, self.incarnation, kept],
    });
    await transaction.query({ text: NOTIFY });
  });
}

/** Gives everything back and leaves the owners. */
export async function leave(session: LeaseSession, self: OwnerIdentity): Promise<void> {
  await session.transaction(async (transaction) => {
    await transaction.query({
      text: `update journal_partitions set owner = null
        where owner = $1 and exists (select from journal_owners o where o.owner = $1 and o.incarnation = $2)`,
      values: [self.owner, self.incarnation],
    });
    await transaction.query({
      text: "delete from journal_owners where owner = $1 and incarnation = $2",
      values: [self.owner, self.incarnation],
    });
    await transaction.query({ text: NOTIFY });
  });
}
