import { createHash } from "node:crypto";
import { DomainError } from "@heddle/errors";
import type { Finding, PlanSummary } from "@heddle/language";
import type { PlanSummaryRow } from "../store/rows.ts";

/** What is kept of the compiler's summary. */
export function summaryOf(summary: PlanSummary): PlanSummaryRow {
  return {
    nodeCount: summary.nodeCount,
    criticalPathLength: summary.criticalPath.length,
    parallelGroups: summary.levels,
    inferredDependencies: summary.inferredDependencies.map(({ nodeId, dependsOn }) => `${nodeId} <- ${dependsOn}`),
  };
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
