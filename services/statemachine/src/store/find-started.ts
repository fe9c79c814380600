import type { Queryable } from "@heddle/store";
import type { StartedBy } from "../domain/keys.ts";

/** The machine that a creation with this key, or else with this request id, has made, as far as it is projected. */
export async function findStarted(
  database: Queryable,
  { namespace, workflowId, key, requestId }: StartedBy,
): Promise<string | undefined> {
  const { rows } = await database.query<{ machine_id: string }>(
    key === ""
      ? {
          name: "find-machine-by-request-id",
          text: `select machine_id from machines
            where namespace = $1 and request_id = $2 and request_id <> '' and key = ''`,
          values: [namespace, requestId],
        }
      : {
          name: "find-machine-by-key",
          text: "select machine_id from machines where namespace = $1 and workflow_id = $2 and key = $3 and key <> ''",
          values: [namespace, workflowId, key],
        },
  );
  return rows[0]?.machine_id;
}
