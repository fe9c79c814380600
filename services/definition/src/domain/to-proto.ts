import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Finding as LanguageFinding } from "@heddle/language";
import {
  type Definition,
  DefinitionSchema,
  type DefinitionVersion,
  DefinitionVersionSchema,
  type Finding,
  FindingSchema,
  FindingSeverity,
  type PlanSummary,
  PlanSummarySchema,
} from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import type { DefinitionRow, PlanSummaryRow, VersionRow } from "../store/rows.ts";

export function toDefinition(row: DefinitionRow): Definition {
  return create(DefinitionSchema, {
    namespace: row.namespace,
    workflowId: row.workflow_id,
    name: row.name,
    description: row.description,
    type: row.type,
    activeVersion: row.active_version,
    latestVersion: row.latest_version,
    labels: row.labels,
    createdAt: timestampFromDate(row.created_at),
    updatedAt: timestampFromDate(row.updated_at),
  });
}

/** With source and summary when the row has its source. */
export function toVersion(row: VersionRow, activeVersion: number): DefinitionVersion {
  return create(DefinitionVersionSchema, {
    namespace: row.namespace,
    workflowId: row.workflow_id,
    version: row.version,
    active: row.version === activeVersion,
    digest: row.digest,
    source: row.source ?? "",
    summary: row.source === undefined ? undefined : toSummary(row.summary),
    createdAt: timestampFromDate(row.created_at),
    deprecated: row.deprecated,
  });
}

export function toSummary(summary: PlanSummaryRow): PlanSummary {
  return create(PlanSummarySchema, {
    nodeCount: summary.nodeCount,
    criticalPathLength: summary.criticalPathLength,
    parallelGroups: summary.parallelGroups.map((nodeIds) => ({ nodeIds })),
    inferredDependencies: summary.inferredDependencies,
  });
}

export function toFinding(finding: LanguageFinding): Finding {
  return create(FindingSchema, {
    ruleId: finding.ruleId,
    rule: finding.rule,
    severity: finding.severity === "error" ? FindingSeverity.ERROR : FindingSeverity.WARNING,
    message: finding.message,
    hint: finding.hint ?? "",
    line: finding.line,
    column: finding.column,
    path: finding.path,
  });
}
