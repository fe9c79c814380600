import { createHash } from "node:crypto";
import { DomainError } from "@heddle/errors";
import { type CompileResult, compileDefinition, type Finding } from "@heddle/language";

/** Compiles a source; what it is called in findings defaults to `definition`. */
export function compile(source: string, fileName: string): CompileResult {
  return compileDefinition(source, { fileName: fileName === "" ? "definition" : fileName });
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
