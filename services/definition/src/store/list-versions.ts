import type { Queryable } from "@heddle/store";
import type { VersionRow } from "./rows.ts";

/** Newest first, below `beforeVersion`, without sources and plans. */
export async function listVersions(
  database: Queryable,
  namespace: string,
  workflowId: string,
  beforeVersion: number,
  limit: number,
): Promise<VersionRow[]> {
  const { rows } = await database.query<VersionRow>({
    text: `select namespace, workflow_id, version, digest, summary, deprecated, created_at from versions
      where namespace = $1 and workflow_id = $2 and version < $3 order by version desc limit $4`,
    values: [namespace, workflowId, beforeVersion, limit],
  });
  return rows;
}
