import { compileExpression, compileTemplate, didYouMean, ExpressionError } from "@heddle/expression";
import type { Reference } from "@heddle/expression";
import type { Condition } from "../draft.ts";
import { isText, stripBraces } from "../nodes/reader.ts";
import type { Report } from "../report.ts";
import { createScalarLocator } from "../source/locate.ts";
import type { SourceNode, SourceScalar } from "../source/source-node.ts";

/** The one name that the expressions of a start can read, and its fields. */
export interface StartScope {
  name: string;
  members: readonly string[];
}

export const SCHEDULE_SCOPE: StartScope = { name: "schedule", members: ["id", "due_at"] };
export const EVENT_SCOPE: StartScope = {
  name: "event",
  members: [
    "id",
    "status",
    "execution_id",
    "workflow_id",
    "namespace",
    "version",
    "input",
    "output",
    "failure",
    "labels",
    "started_at",
    "ended_at",
  ],
};

export interface StartExpressionCheck {
  template(at: SourceNode, scope: StartScope): void;
  condition(condition: Condition, scope: StartScope): void;
}

/** These expressions are evaluated before there is an execution: no node and no input exists for them. */
export function createStartExpressionCheck(source: string, report: Report): StartExpressionCheck {
  function check(
    scalar: SourceScalar,
    shift: number,
    scope: StartScope,
    compile: () => { references: readonly Reference[] },
  ): void {
    const locate = createScalarLocator(source, scalar);
    try {
      for (const reference of compile().references) {
        checkReference(reference, scope, report, () => locate(reference.offset + shift, reference.length));
      }
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const rule = error.kind === "limit" ? "expression-limit" : "expression-syntax";
      const hint = error.hint ?? "expressions are CEL: see docs/expressions.md";
      report.add(rule, locate(error.offset + shift, error.length), error.message, hint);
    }
  }

  function template(at: SourceNode, scope: StartScope): void {
    if (at.kind === "list") for (const item of at.items) template(item, scope);
    else if (at.kind === "map") for (const { value } of at.entries.values()) template(value, scope);
    else if (isText(at) && at.value.includes("${")) check(at, 0, scope, () => compileTemplate(at.value));
  }

  return {
    template,
    condition({ at }, scope) {
      if (!isText(at)) return;
      const { source: expression, offset } = stripBraces(at.value);
      check(at, offset, scope, () => compileExpression(expression));
    },
  };
}

function checkReference(
  { name, path: [member] }: Reference,
  { name: known, members }: StartScope,
  report: Report,
  locate: () => { start: number; end: number },
): void {
  if (name !== known) {
    const hint = didYouMean(name, [known]) ?? `here is only \`${known}\`, with ${members.join(", ")}`;
    report.add("unknown-name", locate(), `nothing is called "${name}" here`, hint);
  } else if (member !== undefined && !members.includes(member)) {
    const message = `"${known}" has no "${member}"; it has: ${members.join(", ")}`;
    report.add("unknown-member", locate(), message, didYouMean(member, members) ?? "use one of these");
  }
}
