import type { Queryable } from "@heddle/store";
import type { DefinitionRow } from "./rows.ts";

export interface FindDefinitionOptions {
  /** Deleted ones too. */
  deleted?: boolean;
  /** Lock the row to the end of the transaction. */
  forUpdate?: boolean;
}

export async function findDefinition(
  database: Queryable,
  namespace: string,
  workflowId: string,
  options: FindDefinitionOptions = {},
): Promise<DefinitionRow | undefined> {
  const { rows } = await database.query<DefinitionRow>({
    // Every start of an execution asks for the active version: parsing and planning would cost more than finding it.
    name: `find-definition-${options.deleted === true}-${options.forUpdate === true}`,
    text: `select * from definitions where namespace = $1 and workflow_id = $2
      ${options.deleted ? "" : "and deleted_at is null"} ${options.forUpdate ? "for update" : ""}`,
    values: [namespace, workflowId],
  });
  return rows[0];
}
