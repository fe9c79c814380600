import type { Queryable } from "@heddle/store";
import type { DefinitionRow } from "./rows.ts";

export interface DefinitionFilter {
  namespace: string;
  /** 0 means all. */
  type: number;
  /** Empty means all. */
  search: string;
}

/** By workflow id, after `afterWorkflowId`. */
export async function listDefinitions(
  database: Queryable,
  filter: DefinitionFilter,
  afterWorkflowId: string,
  limit: number,
): Promise<DefinitionRow[]> {
  const pattern = `%${filter.search.replaceAll(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await database.query<DefinitionRow>({
    text: `select * from definitions
      where namespace = $1 and deleted_at is null and workflow_id > $2 and ($3 = 0 or type = $3)
        and ($4 = '%%' or workflow_id ilike $4 or name ilike $4 or description ilike $4)
      order by workflow_id limit $5`,
    values: [filter.namespace, afterWorkflowId, filter.type, pattern, limit],
  });
  return rows;
}
