import type { WorkflowDraft } from "./draft.ts";
import { constantValue } from "./graph/choices.ts";
import type { Report } from "./report.ts";

/** A condition that reads nothing is always the same: mostly a leftover of trying things out. */
export function checkConditions({ nodes }: WorkflowDraft, report: Report): void {
  for (const { id, when, body } of nodes) {
    const value = when === undefined ? undefined : constantValue(when);
    if (when !== undefined && value === false) {
      report.add(
        "constant-condition",
        when.at,
        `"${id}" is always skipped: its \`when\` is false`,
        "remove the node, or the condition",
      );
    } else if (when !== undefined && value !== undefined) {
      const isTrue = value === true;
      const message = isTrue
        ? `the \`when\` of "${id}" is always true`
        : `the \`when\` of "${id}" is always ${JSON.stringify(value)}, neither true nor false`;
      report.add("constant-condition", when.at, message, isTrue ? "remove it" : "compare it with something");
    }
    if (body.kind === "switch" && body.condition !== undefined && constantValue(body.condition) !== undefined) {
      const hasLiterals = body.cases.some(({ match }) => match.kind === "literal");
      // `condition: true` beside cases that are expressions is a way to write if, else if, else.
      if (hasLiterals)
        report.add(
          "constant-condition",
          body.condition.at,
          `the condition of "${id}" is always the same`,
          "compare something that varies, e.g. ${input.tier}",
        );
    }
  }
}
