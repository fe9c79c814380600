import type { Queryable } from "@heddle/store";

/** The table of what events have told about active versions. */
export const createActiveVersionTableSql = `
  create table active_versions (
    namespace text not null,
    workflow_id text not null,
    -- 0 when the definition was deleted.
    version bigint not null,
    -- Of the event that said so.
    seq bigint not null,
    primary key (namespace, workflow_id)
  )`;

export interface ActiveVersion {
  namespace: string;
  workflowId: string;
  /** 0: the definition was deleted. */
  version: number;
  /** Of the event that said so. */
  seq: number;
}

/** Keeps what the newest event of a definition said about its active version. */
export async function saveActiveVersion(transaction: Queryable, active: ActiveVersion): Promise<void> {
  await transaction.query({
    name: "save-active-version",
    text: `insert into active_versions as stored (namespace, workflow_id, version, seq) values ($1, $2, $3, $4)
      on conflict (namespace, workflow_id) do update set version = excluded.version, seq = excluded.seq
      where stored.seq < excluded.seq`,
    values: [active.namespace, active.workflowId, active.version, active.seq],
  });
}

/** Undefined when no event has told; 0 for a definition that was deleted. */
export async function findActiveVersion(
  database: Queryable,
  namespace: string,
  workflowId: string,
): Promise<number | undefined> {
  const { rows } = await database.query<{ version: string }>({
    text: "select version from active_versions where namespace = $1 and workflow_id = $2",
    values: [namespace, workflowId],
  });
  return rows[0] === undefined ? undefined : Number(rows[0].version);
}
