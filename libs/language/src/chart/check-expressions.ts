import { compileExpression, compileTemplate, didYouMean, ExpressionError, type Reference } from "@heddle/expression";
import { isText, stripBraces } from "../nodes/reader.ts";
import type { Report } from "../report.ts";
import { isJsonObject } from "../schema.ts";
import { createScalarLocator } from "../source/locate.ts";
import type { SourceNode, SourceScalar } from "../source/source-node.ts";
import type { ChartDraft, ChartUse } from "./draft.ts";
import type { ChartTree } from "./resolve.ts";

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  event: ["name", "data", "type", "send_id", "invoke_id"],
  _event: ["name", "data", "type", "send_id", "invoke_id"],
  machine: ["id", "key", "namespace", "workflow_id", "version", "created_at"],
};
const IN_STATE = /\bIn\(\s*(["'])(.*?)\1\s*\)/g;

type TextScalar = SourceScalar & { value: string };

/** Compiles every expression once, and checks the names and the states in it. */
export function checkChartExpressions(chart: ChartDraft, tree: ChartTree, source: string, report: Report): void {
  const declared = isJsonObject(chart.inputSchema?.["properties"]) ? Object.keys(chart.inputSchema["properties"]) : [];
  const known = new Set([...chart.assigned, ...declared]);
  for (const use of chart.uses) {
    if (use.kind === "expression") {
      if (isText(use.at)) checkText(use.at, use, true);
    } else forEachText(use.at, (scalar) => checkText(scalar, use, false));
  }

  function checkText(scalar: TextScalar, use: ChartUse, isExpression: boolean): void {
    const { source: text, offset: shift } = isExpression
      ? stripBraces(scalar.value)
      : { source: scalar.value, offset: 0 };
    const locate = createScalarLocator(source, scalar);
    try {
      const { references } = isExpression ? compileExpression(text) : compileTemplate(text);
      for (const reference of references) {
        checkName(reference, use, () => locate(reference.offset + shift, reference.length));
      }
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const rule = error.kind === "limit" ? "expression-limit" : "expression-syntax";
      const hint = error.hint ?? "expressions are CEL: see docs/expressions.md";
      report.add(rule, locate(error.offset + shift, error.length), error.message, hint);
      return;
    }
    for (const match of text.matchAll(IN_STATE)) {
      const name = match[2] ?? "";
      if (tree.indices.has(name)) continue;
      const hint = (): string => didYouMean(name, tree.indices.keys()) ?? "name a state of this machine";
      report.add("unknown-state", locate(match.index + shift, match[0].length), `there is no state "${name}"`, hint);
    }
  }

  function checkName(
    { name, path: [member], optional }: Reference,
    use: ChartUse,
    locate: () => { start: number; end: number },
  ): void {
    if (use.locals?.includes(name)) return;
    if (use.only !== undefined && !use.only.includes(name)) {
      const { only } = use;
      report.add(
        "unknown-name",
        locate(),
        `"${name}" is not known here, where an expression sees ${only.join(", ")} alone`,
        "use what the machine is from its creation on, e.g. ${machine.key}",
      );
      return;
    }
    const members = MEMBERS[name];
    if (members !== undefined) {
      if (member === undefined || members.includes(member)) return;
      report.add(
        "unknown-member",
        locate(),
        `"${name}" has no "${member}"; it has: ${members.join(", ")}`,
        didYouMean(member, members) ?? "use one of these",
      );
      return;
    }
    const variable = name === "context" ? member : name;
    if (variable === undefined || optional || known.has(variable)) return;
    const hint = (): string => didYouMean(variable, [...known, "event", "machine"]) ?? "declare it under `context`";
    report.add("unknown-name", locate(), `nothing is called "${variable}": it is no field of the context`, hint);
  }
}

function forEachText(node: SourceNode, visit: (scalar: TextScalar) => void): void {
  if (node.kind === "list") for (const item of node.items) forEachText(item, visit);
  else if (node.kind === "map") for (const { value } of node.entries.values()) forEachText(value, visit);
  else if (isText(node) && node.value.includes("${")) visit(node);
}
