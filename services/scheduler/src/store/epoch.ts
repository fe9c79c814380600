import type { Database } from "@heddle/store";

/**
 * A number that is higher at every call, by whatever process, for ever: the upper half of fencing tokens. One statement
 * in one transaction, so that two schedulers that start at the same moment get different ones.
 */
export async function bumpEpoch(database: Database): Promise<bigint> {
  const { rows } = await database.query<{ epoch: string }>({
    text: `insert into scheduler_epoch (only_row, epoch) values (true, 1)
           on conflict (only_row) do update set epoch = scheduler_epoch.epoch + 1, bumped_at = now()
           returning epoch`,
  });
  const epoch = rows[0]?.epoch;
  if (epoch === undefined) throw new Error("the statement that bumps the scheduler's epoch returned no row");
  return BigInt(epoch);
}
