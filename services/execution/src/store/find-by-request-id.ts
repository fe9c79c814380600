import type { Queryable } from "@heddle/store";

/** The execution that a start with this request id has made, and with this business key (empty: none), as far as it is projected. */
export async function findByRequestId(
  database: Queryable,
  namespace: string,
  requestId: string,
  workflowKey: string,
): Promise<string | undefined> {
  const { rows } = await database.query<{ execution_id: string }>({
    name: "find-by-request-id",
    text: "select execution_id from executions where namespace = $1 and request_id = $2 and workflow_key = $3 and request_id <> ''",
    values: [namespace, requestId, workflowKey],
  });
  return rows[0]?.execution_id;
}
