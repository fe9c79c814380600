import type { Queryable } from "@heddle/store";

/** The latest execution that was started with this business key, as far as it is projected. */
export async function findByWorkflowKey(
  database: Queryable,
  namespace: string,
  workflowKey: string,
): Promise<string | undefined> {
  const { rows } = await database.query<{ execution_id: string }>({
    name: "find-by-workflow-key",
    text: `select execution_id from executions where namespace = $1 and workflow_key = $2 and workflow_key <> ''
      order by execution_id desc limit 1`,
    values: [namespace, workflowKey],
  });
  return rows[0]?.execution_id;
}
