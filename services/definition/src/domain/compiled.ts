import { createHash } from "node:crypto";
import { DomainError } from "@heddle/errors";
import type { DefinitionPlan, Finding, PlanStarts, PlanSummary } from "@heddle/language";
import { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import type { ActiveVersion } from "../store/activate-version.ts";
import type { PlanSummaryRow, VersionRow } from "../store/rows.ts";

/** What is kept of the compiler's summary. */
export function summaryOf(summary: PlanSummary): PlanSummaryRow {
  return {
    nodeCount: summary.nodeCount,
    criticalPathLength: summary.criticalPath.length,
    parallelGroups: summary.levels,
    inferredDependencies: summary.inferredDependencies.map(({ nodeId, dependsOn }) => `${nodeId} <- ${dependsOn}`),
  };
}

/** What a definition takes over from the version that becomes the active one. */
export function shownOf(version: VersionRow): Omit<ActiveVersion, "version"> {
  const plan = JSON.parse(version.plan_json ?? "{}") as Partial<DefinitionPlan>;
  return {
    name: plan.name ?? "",
    description: plan.description ?? "",
    labels: plan.labels ?? {},
    starts: startsOf(plan),
  };
}

export function typeOf({ type }: DefinitionPlan): DefinitionType {
  return type === "dag" ? DefinitionType.DAG : DefinitionType.STATE_MACHINE;
}

/** When a plan is to be run without anybody asking. */
export function startsOf({ schedules = [], triggers = [] }: PlanStarts): PlanStarts {
  return { schedules, triggers };
}

export function digestOf(source: string): string {
  return createHash("sha256").update(source).digest("hex");
}

/** Refuses a source with all of its errors at once, one field violation each. */
export function definitionInvalid(findings: readonly Finding[], fileName: string): DomainError {
  const errors = findings.filter((finding) => finding.severity === "error");
  const place = (finding: Finding): string =>
    `${fileName === "" ? "definition" : fileName}:${finding.line}:${finding.column}`;
  const first = errors[0];
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new DomainError({
    kind: "invalid_argument",
    reason: "DEFINITION_INVALID",
    message: `the definition has ${errors.length} error${errors.length === 1 ? "" : "s"}: ${first ? `${place(first)}: ${first.message}` : ""}${rest}`,
    metadata: { errors: String(errors.length) },
    violations: errors.map((finding) => ({
      field: place(finding),
      description: `[${finding.ruleId} ${finding.rule}] ${finding.message}${finding.hint ? ` — ${finding.hint}` : ""}`,
    })),
  });
}
