import { createHash } from "node:crypto";
import { DomainError } from "@heddle/errors";
import type { Finding, PlanSummary } from "@heddle/language";
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

/** What a definition shows of the version while it is the active one. */
export function shownOf(version: VersionRow): { name: string; description: string; labels: Record<string, string> } {
  const plan = JSON.parse(version.plan_json ?? "{}") as Partial<ReturnType<typeof shownOf>>;
  return { name: plan.name ?? "", description: plan.description ?? "", labels: plan.labels ?? {} };
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
