import type { Queryable } from "@heddle/store";

/** A partition by the database's own clock. */
export interface PartitionRow {
  partition: number;
  /** Null when it is assigned to nobody. */
  owner: string | null;
  live: boolean;
  epoch: string;
  projected_offset: string;
  /** Offsets as texts, by name of the publisher. */
  published: Record<string, string>;
}

/** All partitions of the service's journal, ascending. */
export async function readPartitions(database: Queryable): Promise<PartitionRow[]> {
  const { rows } = await database.query<PartitionRow>({
    text: `select p.partition, p.owner, o.owner is not null as live, p.epoch, p.projected_offset,
        coalesce((select json_object_agg(c.name, c.journal_offset::text) from publisher_cursors c
          where c.partition = p.partition), '{}') as published
      from journal_partitions p
      left join journal_owners o on o.owner = p.owner and o.expires_at > clock_timestamp()
      order by p.partition`,
  });
  return rows;
}
