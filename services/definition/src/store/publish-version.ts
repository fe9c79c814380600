import { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import type { Database, Transaction } from "@heddle/store";
import { appendEvent } from "./append-event.ts";
import { findDefinition } from "./find-definition.ts";
import { findVersion } from "./find-version.ts";
import type { DefinitionRow, PlanSummaryRow, VersionRow } from "./rows.ts";

export interface NewVersion {
  namespace: string;
  workflowId: string;
  name: string;
  description: string;
  labels: Record<string, string>;
  digest: string;
  source: string;
  planJson: string;
  summary: PlanSummaryRow;
  requestId: string;
  activate: boolean;
  now: Date;
}

export interface PublishedVersion {
  definition: DefinitionRow;
  version: VersionRow;
  created: boolean;
}

/** Stores the next version, with its events, in one transaction; or finds the one that a repeated request made. */
export async function publishVersion(database: Database, next: NewVersion): Promise<PublishedVersion> {
  return database.transaction(async (transaction) => {
    // The row is there before the lock on it, so that two first publishes wait for each other instead of failing.
    await transaction.query({
      text: `insert into definitions (namespace, workflow_id, type, name, description, labels, active_version,
          latest_version, last_seq, created_at, updated_at, deleted_at)
        values ($1, $2, $3, '', '', '{}', 0, 0, 0, $4, $4, $4) on conflict do nothing`,
      values: [next.namespace, next.workflowId, DefinitionType.DAG, next.now],
    });
    const before = await required(transaction, next);
    const repeated = await findRepeated(transaction, next, before);
    if (repeated !== undefined) {
      await activateRepeated(transaction, next, before, repeated.version);
      return { definition: await required(transaction, next), version: repeated, created: false };
    }

    const version = before.latest_version + 1;
    const activate = next.activate || before.active_version === 0 || before.deleted_at !== null;
    await transaction.query({
      text: `update definitions set latest_version = $3, deleted_at = null,
          active_version = case when $4 then $3 else active_version end,
          name = case when $4 then $5 else name end,
          description = case when $4 then $6 else description end,
          labels = case when $4 then $7::jsonb else labels end
        where namespace = $1 and workflow_id = $2`,
      values: [
        next.namespace,
        next.workflowId,
        version,
        activate,
        next.name,
        next.description,
        JSON.stringify(next.labels),
      ],
    });
    await transaction.query({
      text: `insert into versions (namespace, workflow_id, version, digest, source, plan_json, summary, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      values: [
        next.namespace,
        next.workflowId,
        version,
        next.digest,
        next.source,
        next.planJson,
        JSON.stringify(next.summary),
        next.now,
      ],
    });
    if (next.requestId !== "") {
      await transaction.query({
        text: "insert into requests (namespace, request_id, workflow_id, version, created_at) values ($1, $2, $3, $4, $5)",
        values: [next.namespace, next.requestId, next.workflowId, version, next.now],
      });
    }
    await appendEvent(transaction, next, {
      case: "published",
      value: { version, digest: next.digest, type: DefinitionType.DAG },
    });
    if (activate) {
      await appendEvent(transaction, next, {
        case: "versionActivated",
        value: { version, previousVersion: before.deleted_at === null ? before.active_version : 0 },
      });
    }
    const stored = await findVersion(transaction, next.namespace, next.workflowId, version);
    return { definition: await required(transaction, next), version: stored as VersionRow, created: true };
  });
}

async function required(transaction: Transaction, key: NewVersion): Promise<DefinitionRow> {
  const row = await findDefinition(transaction, key.namespace, key.workflowId, { deleted: true, forUpdate: true });
  if (row === undefined) throw new Error(`the row of ${key.namespace}/${key.workflowId} is gone`);
  return row;
}

/** The version that this very request, or the newest publish of the same text, has made. */
async function findRepeated(
  transaction: Transaction,
  next: NewVersion,
  before: DefinitionRow,
): Promise<VersionRow | undefined> {
  if (next.requestId !== "") {
    const { rows } = await transaction.query<{ version: number }>({
      text: "select version from requests where namespace = $1 and request_id = $2 and workflow_id = $3",
      values: [next.namespace, next.requestId, next.workflowId],
    });
    const known = rows[0];
    if (known !== undefined) return findVersion(transaction, next.namespace, next.workflowId, known.version);
  }
  if (before.deleted_at !== null || before.latest_version === 0) return undefined;
  const newest = await findVersion(transaction, next.namespace, next.workflowId, before.latest_version);
  if (newest?.digest !== next.digest) return undefined;
  return newest;
}

/** The same text again with activation asked for: the version exists, but another one may be active. */
async function activateRepeated(
  transaction: Transaction,
  next: NewVersion,
  before: DefinitionRow,
  version: number,
): Promise<void> {
  const byDigest = version === before.latest_version && before.deleted_at === null;
  if (!next.activate || !byDigest || before.active_version === version) return;
  await transaction.query({
    text: "update definitions set active_version = $3 where namespace = $1 and workflow_id = $2",
    values: [next.namespace, next.workflowId, version],
  });
  await appendEvent(transaction, next, {
    case: "versionActivated",
    value: { version, previousVersion: before.active_version },
  });
}
