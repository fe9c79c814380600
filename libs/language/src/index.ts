export { compileDefinition } from "./compile-definition.ts";
export type { CompiledDefinition } from "./compile-definition.ts";
export type { Finding } from "./finding.ts";
export { formatFinding } from "./format-finding.ts";
export type { PlanSummary } from "./graph/summary.ts";
export * from "./limits.ts";
export type { CompileDefinitionOptions, KnownTool } from "./options.ts";
export { RULES } from "./rules.ts";
export type { Rule, RuleName } from "./rules.ts";
