import type { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";

/** A row of `definitions`. */
export interface DefinitionRow {
  namespace: string;
  workflow_id: string;
  type: DefinitionType;
  name: string;
  description: string;
  labels: Record<string, string>;
  active_version: number;
  latest_version: number;
  last_seq: string;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

/** A row of `versions`; lists leave `source` and `plan_json` out. */
export interface VersionRow {
  namespace: string;
  workflow_id: string;
  version: number;
  digest: string;
  source?: string;
  plan_json?: string;
  summary: PlanSummaryRow;
  deprecated: boolean;
  created_at: Date;
}

/** What `versions.summary` holds. */
export interface PlanSummaryRow {
  nodeCount: number;
  criticalPathLength: number;
  parallelGroups: string[][];
  inferredDependencies: string[];
}
