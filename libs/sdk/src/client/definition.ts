import {
  DefinitionTypeSchema,
  FindingSeveritySchema,
  type Definition as DefinitionMessage,
  type DefinitionVersion as VersionMessage,
  type Finding as FindingMessage,
  type PlanSummary as SummaryMessage,
} from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { enumName, plainTime } from "./plain.ts";

/** A workflow by name; what runs is one of its versions. */
export interface Definition {
  namespace: string;
  workflowId: string;
  name: string;
  description: string;
  type: "dag" | "state_machine";
  /** Version that new executions run unless they ask for another. */
  activeVersion: number;
  latestVersion: number;
  labels: Record<string, string>;
  createdAt?: Date;
  updatedAt?: Date;
}

/** One immutable version of a definition. */
export interface DefinitionVersion {
  namespace: string;
  workflowId: string;
  version: number;
  active: boolean;
  deprecated: boolean;
  /** SHA-256 of the source, hexadecimal. */
  digest: string;
  /** YAML or JSON as it was published; empty in lists. */
  source: string;
  /** Absent in lists. */
  summary?: PlanSummary;
  createdAt?: Date;
}

/** What the compiler found out about a plan. */
export interface PlanSummary {
  nodeCount: number;
  /** Length of the longest chain of dependencies, in nodes. */
  criticalPathLength: number;
  /** Groups of node ids that may run at the same time, in order. */
  parallelGroups: string[][];
  /** Dependencies that were inferred from expressions, as `node <- dependency`. */
  inferredDependencies: string[];
}

/** One thing that the compiler has to say about a source. */
export interface Finding {
  /** E.g. `HD012`; docs/rules.md explains each. */
  ruleId: string;
  rule: string;
  severity: "warning" | "error";
  message: string;
  /** What to do about it; may be empty. */
  hint: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  path: string;
}

export function plainDefinition(message: DefinitionMessage): Definition {
  const { namespace, workflowId, name, description, activeVersion, latestVersion, labels } = message;
  return {
    namespace,
    workflowId,
    name,
    description,
    type: enumName(DefinitionTypeSchema, message.type),
    activeVersion,
    latestVersion,
    labels,
    createdAt: plainTime(message.createdAt),
    updatedAt: plainTime(message.updatedAt),
  };
}

export function plainVersion(message: VersionMessage): DefinitionVersion {
  const { namespace, workflowId, version, active, deprecated, digest, source, summary } = message;
  return {
    namespace,
    workflowId,
    version,
    active,
    deprecated,
    digest,
    source,
    ...(summary && { summary: plainSummary(summary) }),
    createdAt: plainTime(message.createdAt),
  };
}

export function plainSummary(message: SummaryMessage): PlanSummary {
  const { nodeCount, criticalPathLength, parallelGroups, inferredDependencies } = message;
  return {
    nodeCount,
    criticalPathLength,
    parallelGroups: parallelGroups.map(({ nodeIds }) => nodeIds),
    inferredDependencies,
  };
}

export function plainFinding(message: FindingMessage): Finding {
  const { ruleId, rule, hint, line, column, path } = message;
  return {
    ruleId,
    rule,
    severity: enumName(FindingSeveritySchema, message.severity),
    message: message.message,
    hint,
    line,
    column,
    path,
  };
}
