import type { Queryable } from "@heddle/store";

export interface HistoryRange {
  first: number;
  last: number;
}

/** What the histories of these executions hold by the numbers of their chunks; chunks that follow each other are one range. */
export async function readHistoryRanges(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, HistoryRange[]>> {
  const { rows } = await database.query<{ id: string; first_seq: number; last_seq: number }>({
    name: "read-history-ranges",
    text: "select id, first_seq, last_seq from history where id = any($1::uuid[]) order by id, first_seq",
    values: [ids],
  });
  const ranges = new Map<string, HistoryRange[]>();
  for (const { id, first_seq: first, last_seq: last } of rows) {
    const known = ranges.get(id);
    const before = known?.at(-1);
    if (known === undefined || before === undefined) ranges.set(id, [{ first, last }]);
    else if (before.last + 1 === first) before.last = last;
    else known.push({ first, last });
  }
  return ranges;
}
