import { ExpressionError, compileExpression, compileTemplate } from "@heddle/expression";
import type { Reference } from "@heddle/expression";
import type { ExpressionUse, WorkflowDraft } from "../draft.ts";
import { addInferred } from "../graph/graph.ts";
import type { Graph } from "../graph/graph.ts";
import { isText, stripBraces } from "../nodes/reader.ts";
import type { Report } from "../report.ts";
import { locateInScalar } from "../source/locate.ts";
import type { SourceNode, SourceScalar, Span } from "../source/source-node.ts";
import { createNameCheck } from "./names.ts";
import type { NameCheck } from "./names.ts";

interface Context {
  source: string;
  graph: Graph;
  nodeIds: ReadonlySet<string>;
  checkName: NameCheck;
  report: Report;
}

/** Compiles every expression once, checks the names in it, and adds the dependencies that follow from them. */
export function checkExpressions(workflow: WorkflowDraft, graph: Graph, source: string, report: Report): void {
  const nodeIds = new Set(graph.indices.keys());
  const context: Context = { source, graph, nodeIds, report, checkName: createNameCheck(workflow, graph, report) };
  for (const use of workflow.uses) {
    // An alias stands in many places, and is evaluated in each of them.
    if (use.kind === "template") forEachText(use.at, (scalar) => checkText(scalar, use, context));
    else if (isText(use.at)) checkCondition(use.at, use, context);
  }
}

function forEachText(node: SourceNode, visit: (scalar: SourceScalar & { value: string }) => void): void {
  if (node.kind === "list") for (const item of node.items) forEachText(item, visit);
  else if (node.kind === "map") for (const { value } of node.entries.values()) forEachText(value, visit);
  else if (isText(node) && node.value.includes("${")) visit(node);
}

function checkText(scalar: SourceScalar & { value: string }, use: ExpressionUse, context: Context): void {
  check(scalar, 0, use, context, () => compileTemplate(scalar.value, { nodeIds: context.nodeIds }).references);
}

function checkCondition(scalar: SourceScalar & { value: string }, use: ExpressionUse, context: Context): void {
  const { source, offset } = stripBraces(scalar.value);
  check(scalar, offset, use, context, () => compileExpression(source, { nodeIds: context.nodeIds }).references);
}

function check(
  scalar: SourceScalar,
  shift: number,
  use: ExpressionUse,
  context: Context,
  compile: () => readonly Reference[],
): void {
  const locate = (offset: number, length: number): Span =>
    locateInScalar(context.source, scalar, offset + shift, length);
  try {
    for (const reference of compile())
      checkReference(reference, use, context, () => locate(reference.offset, reference.length));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const rule = error.kind === "limit" ? "expression-limit" : "expression-syntax";
    context.report.add(
      rule,
      locate(error.offset, error.length),
      error.message,
      error.hint ?? "expressions are CEL: see docs/expressions.md",
    );
  }
}

function checkReference(reference: Reference, use: ExpressionUse, context: Context, locate: () => Span): void {
  const { graph, report } = context;
  const from = reference.nodeId === undefined ? undefined : graph.indices.get(reference.nodeId);
  context.checkName(reference, use.owner, locate);
  if (from === undefined || use.owner === undefined) return;
  if (from !== use.owner) addInferred(graph, use.owner, from, locate());
  else
    report.add(
      "circular-reference",
      locate(),
      `"${reference.name}" reads its own output, which is not there yet`,
      "read the output of another node",
    );
}
