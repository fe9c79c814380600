import type { PlanStarts } from "@heddle/language";
import type { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import type { Database, Transaction } from "@heddle/store";
import { requestIdReused, typeChanged } from "../domain/errors.ts";
import { setActiveVersion } from "./activate-version.ts";
import { appendEvent } from "./append-event.ts";
import { findDefinition } from "./find-definition.ts";
import { findVersion } from "./find-version.ts";
import type { DefinitionRow, PlanSummaryRow, VersionRow } from "./rows.ts";

export interface NewVersion {
  namespace: string;
  workflowId: string;
  type: DefinitionType;
  name: string;
  description: string;
  labels: Record<string, string>;
  digest: string;
  source: string;
  planJson: string;
  starts: PlanStarts;
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

/**
 * Stores the next version, with its events, in one transaction; or finds the one that a repeated request made.
 * @throws DomainError REQUEST_ID_REUSED, TYPE_CHANGED
 */
export async function publishVersion(database: Database, next: NewVersion): Promise<PublishedVersion> {
  return database.transaction(async (transaction) => {
    // The row is there before the lock on it, so that two first publishes wait for each other instead of failing.
    await transaction.query({
      text: `insert into definitions (namespace, workflow_id, type, name, description, labels, active_version,
          latest_version, last_seq, created_at, updated_at, deleted_at)
        values ($1, $2, $3, '', '', '{}', 0, 0, 0, $4, $4, $4) on conflict do nothing`,
      values: [next.namespace, next.workflowId, next.type, next.now],
    });
    const before = await required(transaction, next);
    const answered = await findAnswered(transaction, next);
    if (answered !== undefined) return { definition: before, version: answered, created: false };
    const same = await findSameText(transaction, next, before);
    if (same !== undefined) {
      await rememberRequest(transaction, next, same.version);
      if (next.activate && before.active_version !== same.version) {
        await setActiveVersion(transaction, next, { ...next, version: same.version }, before.active_version);
      }
      return { definition: await required(transaction, next), version: same, created: false };
    }

    if (before.type !== next.type) throw typeChanged(before, next.type);
    const version = before.latest_version + 1;
    const activate = next.activate || before.active_version === 0 || before.deleted_at !== null;
    await transaction.query({
      text: "update definitions set latest_version = $3, deleted_at = null where namespace = $1 and workflow_id = $2",
      values: [next.namespace, next.workflowId, version],
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
    await rememberRequest(transaction, next, version);
    await appendEvent(transaction, next, {
      case: "published",
      value: { version, digest: next.digest, type: next.type },
    });
    if (activate) {
      const previousVersion = before.deleted_at === null ? before.active_version : 0;
      await setActiveVersion(transaction, next, { ...next, version }, previousVersion);
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

/** The version that this very request gave before. It stays as it was answered: nothing is activated again. */
async function findAnswered(transaction: Transaction, next: NewVersion): Promise<VersionRow | undefined> {
  if (next.requestId === "") return undefined;
  const { rows } = await transaction.query<{ workflow_id: string; version: number }>({
    text: "select workflow_id, version from requests where namespace = $1 and request_id = $2",
    values: [next.namespace, next.requestId],
  });
  const known = rows[0];
  if (known === undefined) return undefined;
  const version = await findVersion(transaction, next.namespace, known.workflow_id, known.version);
  if (known.workflow_id !== next.workflowId || version?.digest !== next.digest) throw requestIdReused(next.requestId);
  return version;
}

/** The newest version, when its text is the same. */
async function findSameText(
  transaction: Transaction,
  next: NewVersion,
  before: DefinitionRow,
): Promise<VersionRow | undefined> {
  if (before.deleted_at !== null || before.latest_version === 0) return undefined;
  const newest = await findVersion(transaction, next.namespace, next.workflowId, before.latest_version);
  return newest?.digest === next.digest ? newest : undefined;
}

async function rememberRequest(transaction: Transaction, next: NewVersion, version: number): Promise<void> {
  if (next.requestId === "") return;
  const { rowCount } = await transaction.query({
    text: `insert into requests (namespace, request_id, workflow_id, version, created_at) values ($1, $2, $3, $4, $5)
      on conflict do nothing`,
    values: [next.namespace, next.requestId, next.workflowId, version, next.now],
  });
  // Publishes of one workflow wait for each other before they look, so a request that came in between is of another one.
  if (rowCount === 0) throw requestIdReused(next.requestId);
}
