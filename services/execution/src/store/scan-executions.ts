import type { Queryable } from "@heddle/store";
import { scanMaxSnapshotBytes } from "../domain/limits.ts";

/** An execution as it is stored, with what diagnostics look at. */
export interface ScannedRow {
  execution_id: string;
  namespace: string;
  workflow_id: string;
  version: number;
  ended: boolean;
  last_seq: string;
  request_id: string;
  workflow_key: string;
  parent_execution_id: string | null;
  parent_node_id: string | null;
  /** Null when it was not asked for and the execution has ended. */
  snapshot: Buffer | null;
}

export interface ScanOptions {
  /** Snapshots of those that have ended, too. */
  withSnapshots: boolean;
}

const COLUMNS = `execution_id, namespace, workflow_id, version, ended_at is not null as ended, last_seq, request_id, workflow_key,
  parent_execution_id, parent_node_id, case when $1 or ended_at is null then snapshot end as snapshot`;

/**
 * The next executions by id, `limit` at most. Fewer when their snapshots are large, but at least one: only an empty answer
 * says that there are no more.
 */
export async function scanExecutions(
  database: Queryable,
  afterId: string,
  limit: number,
  { withSnapshots }: ScanOptions,
): Promise<ScannedRow[]> {
  const { rows } = await database.query<ScannedRow>({
    name: "scan-executions",
    // The size is known without reading what is stored apart.
    text: `select ${COLUMNS} from (
        select *, sum(octet_length(snapshot)) over (order by execution_id) - octet_length(snapshot) as bytes_before
        from (select * from executions where execution_id > $2 order by execution_id limit $3) as page
      ) as sized where bytes_before < ${scanMaxSnapshotBytes} order by execution_id`,
    values: [withSnapshots, afterId, limit],
  });
  return rows;
}

/** Those of these executions that are stored, by id. */
export async function findScanned(
  database: Queryable,
  ids: readonly string[],
  { withSnapshots }: ScanOptions,
): Promise<ScannedRow[]> {
  const { rows } = await database.query<ScannedRow>({
    text: `select ${COLUMNS} from executions where execution_id = any($2::uuid[]) order by execution_id`,
    values: [withSnapshots, ids],
  });
  return rows;
}
