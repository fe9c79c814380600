import type { Queryable } from "@heddle/store";

export interface ParkedCount {
  consumer_group: string;
  topic: string;
  count: string;
  /** Its beginning. */
  last_error: string;
}

/** What `createEventParking` has put aside, by group and topic. */
export async function countParkedEvents(database: Queryable): Promise<ParkedCount[]> {
  const { rows } = await database.query<ParkedCount>({
    text: `select consumer_group, topic, count(*) as count, left((array_agg(error order by parked_at desc))[1], 500) as last_error
      from parked_events group by consumer_group, topic order by consumer_group, topic`,
  });
  return rows;
}
