import type { Queryable } from "@heddle/store";

/** Bytes of snapshots on a page: enough for a hundred usual machines, and bounded for large ones. */
const MAX_SNAPSHOT_BYTES = 16 * 1024 * 1024;

/** A machine as it is stored, with what diagnostics look at. */
export interface ScannedRow {
  machine_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  last_seq: string;
  snapshot: Buffer;
}

const COLUMNS = "machine_id, namespace, workflow_id, version, last_seq, snapshot";

/**
 * The next machines by id, `limit` at most. Fewer when their snapshots are large, but at least one: only an empty answer
 * says that there are no more.
 */
export async function scanRows(database: Queryable, afterId: string, limit: number): Promise<ScannedRow[]> {
  const { rows } = await database.query<ScannedRow>({
    name: "scan-machines",
    text: `select ${COLUMNS} from (
        select *, sum(octet_length(snapshot)) over (order by machine_id) - octet_length(snapshot) as bytes_before
        from (select * from machines where machine_id > $1 order by machine_id limit $2) as page
      ) as sized where bytes_before < ${MAX_SNAPSHOT_BYTES} order by machine_id`,
    values: [afterId, limit],
  });
  return rows;
}

/** Those of these machines that are stored, by id. */
export async function findRows(database: Queryable, ids: readonly string[]): Promise<ScannedRow[]> {
  const { rows } = await database.query<ScannedRow>({
    text: `select ${COLUMNS} from machines where machine_id = any($1::uuid[]) order by machine_id`,
    values: [ids],
  });
  return rows;
}
