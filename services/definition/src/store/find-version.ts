import type { Queryable } from "@heddle/store";
import type { VersionRow } from "./rows.ts";

export async function findVersion(
  database: Queryable,
  namespace: string,
  workflowId: string,
  version: number,
): Promise<VersionRow | undefined> {
  const { rows } = await database.query<VersionRow>({
    name: "find-version",
    // Any uint32 may be asked for, and half of them are no integer of Postgres.
    text: "select * from versions where namespace = $1 and workflow_id = $2 and version = $3::bigint",
    values: [namespace, workflowId, version],
  });
  return rows[0];
}
