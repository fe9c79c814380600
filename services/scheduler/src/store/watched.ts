import type { Queryable } from "@heddle/store";

/** What anybody waits for in the scheduler's schema. */
export interface Watched {
  /** Namespaces with schedules or triggers. */
  namespaces: string[];
  /** Workflows whose ends matter: a trigger waits for them, or a schedule must not run beside itself. */
  sources: { namespace: string; workflowId: string }[];
}

export async function readWatched(database: Queryable): Promise<Watched> {
  const { rows } = await database.query<{ namespace: string; workflow_id: string; matters: boolean }>({
    text: `select namespace, source_workflow_id as workflow_id, true as matters from triggers
      union select namespace, workflow_id, spec ->> 'overlap' <> 'allow' from schedules`,
  });
  return {
    namespaces: [...new Set(rows.map(({ namespace }) => namespace))],
    sources: rows
      .filter(({ matters }) => matters)
      .map((row) => ({ namespace: row.namespace, workflowId: row.workflow_id })),
  };
}
