import { ExpressionError, compileExpression, compileTemplate } from "@heddle/expression";
import type { NodeIds, Reference } from "@heddle/expression";
import type { ExpressionUse, WorkflowDraft } from "../draft.ts";
import { isFinally } from "../draft.ts";
import { addInferred, nameBody } from "../graph/graph.ts";
import type { Graph } from "../graph/graph.ts";
import { isText, stripBraces } from "../nodes/reader.ts";
import type { Report } from "../report.ts";
import { createScalarLocator } from "../source/locate.ts";
import type { SourceNode, SourceScalar } from "../source/source-node.ts";
import { createNameCheck } from "./names.ts";
import type { FoundReference } from "./found-reference.ts";

interface Context {
  source: string;
  graph: Graph;
  nodeIds: NodeIds;
  report: Report;
  /** Filled while expressions are compiled; checked when all dependencies are known, because they decide what flows in. */
  found: FoundReference[];
}

/**
 * Compiles every expression once, checks the names in it, and adds the dependencies that follow from them.
 * `nodeIds`: `visibleIds`. `ofBodies`: what bodies of maps read of this, by their maps. @returns what this, as such a body, reads around its map
 */
export function checkExpressions(
  workflow: WorkflowDraft,
  graph: Graph,
  nodeIds: NodeIds,
  source: string,
  report: Report,
  ofBodies: readonly FoundReference[],
): FoundReference[] {
  const context: Context = { source, graph, nodeIds, report, found: [] };
  for (const reference of ofBodies) addReference(context, reference);
  for (const use of workflow.uses) {
    // What an alias stands for is compiled for each node that evaluates it.
    if (use.kind === "template") forEachText(use.at, (scalar) => checkText(scalar, use, context));
    else if (isText(use.at)) checkCondition(use.at, use, context);
  }
  const checkName = createNameCheck(workflow, graph, report);
  return context.found.flatMap((reference) => checkName(reference) ?? []);
}

/** Ids that expressions may name: in the body of a map also those around it. */
export function visibleIds({ nodes, item }: WorkflowDraft): NodeIds {
  const ids = new Set(nodes.map(({ id }) => id));
  // Not copied: there may be as many bodies as nodes around them.
  return item === undefined ? ids : { has: (id) => ids.has(id) || item.outerIds.has(id) };
}

function forEachText(node: SourceNode, visit: (scalar: SourceScalar & { value: string }) => void): void {
  if (node.kind === "list") for (const item of node.items) forEachText(item, visit);
  else if (node.kind === "map") for (const { value } of node.entries.values()) forEachText(value, visit);
  else if (isText(node) && node.value.includes("${")) visit(node);
}

type TextScalar = SourceScalar & { value: string };

function checkText(scalar: TextScalar, use: ExpressionUse, context: Context): void {
  check(scalar, 0, use, context, () => compileTemplate(scalar.value, { nodeIds: idsAt(use, context) }).references);
}

function checkCondition(scalar: TextScalar, use: ExpressionUse, context: Context): void {
  const { source, offset } = stripBraces(scalar.value);
  check(scalar, offset, use, context, () => compileExpression(source, { nodeIds: idsAt(use, context) }).references);
}

/** The names of a place come before nodes of the same name. */
function idsAt({ names }: ExpressionUse, { nodeIds }: Context): NodeIds {
  return names === undefined ? nodeIds : { has: (id) => !names.includes(id) && nodeIds.has(id) };
}

/** `shift`: where in the scalar's text the offsets of the expression count from. */
function check(
  scalar: TextScalar,
  shift: number,
  use: ExpressionUse,
  context: Context,
  compile: () => readonly Reference[],
): void {
  const locate = createScalarLocator(context.source, scalar);
  let references: readonly Reference[];
  try {
    references = compile();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const rule = error.kind === "limit" ? "expression-limit" : "expression-syntax";
    const at = locate(error.offset + shift, error.length);
    context.report.add(rule, at, error.message, error.hint ?? "expressions are CEL: see docs/expressions.md");
    return;
  }
  for (const reference of references) {
    const offset = reference.offset + shift;
    addReference(context, {
      reference,
      dashed: dashedName(scalar.value, offset),
      locate: (length = reference.length) => locate(offset, length),
      ...(use.owner === undefined ? {} : { owner: use.owner }),
      ...(use.inBody && { inBody: use.inBody }),
      ...(use.names && { names: use.names }),
    });
  }
}

function addReference({ graph, report, found }: Context, entry: FoundReference): void {
  const { reference, owner, locate, names } = entry;
  if (reference.nodeId !== undefined && names?.includes(reference.nodeId)) {
    const message = `"${reference.nodeId}" is something else in this place, and the node of this id cannot be read here`;
    return report.add("shadowed-id", locate(), message, "give the node another id");
  }
  found.push(entry);
  const from = reference.nodeId === undefined ? undefined : graph.indices.get(reference.nodeId);
  if (from === undefined) return;
  const reader = findReader(graph, entry, from);
  if (reader === undefined) {
    const around = graph.nodes[from]!.container!;
    const message = `"${graph.nodes[from]!.id}" is in ${nameBody(graph.nodes, around)}, where only its body can read it`;
    const hint = `read ${graph.nodes[around]!.id}.output, and let its output hold what is wanted`;
    report.add("other-body", locate(), message, hint);
  } else if (reader !== "body" && reader !== from) {
    addInferred(graph, reader, from, locate);
  } else if (reader === from && entry.names === undefined) {
    const message =
      from === owner && entry.outward === undefined
        ? `"${reference.name}" reads its own output, which is not there yet`
        : `"${reference.name}" is what this node is in: its output is not there yet`;
    report.add("circular-reference", locate(), message, "read the output of another node");
  }
}

/**
 * Which node has to wait for `from`: the one that reads it, or the group or loop around it that stands beside `from`.
 * "body": nobody, since the expression is evaluated after it. undefined: it cannot be read from there.
 */
function findReader(
  { nodes, rescuers }: Graph,
  { owner, inBody }: FoundReference,
  from: number,
): number | "body" | undefined {
  const { container } = nodes[from]!;
  // The workflow's output is evaluated after everything.
  if (owner === undefined) return container === undefined ? "body" : undefined;
  if (inBody && container === owner) return "body";
  for (let at: number | undefined = owner; at !== undefined; at = nodes[at]!.container) {
    if (at === from) return at;
    if (nodes[at]!.container === container) return isFinally(nodes[at]!) || rescuers.has(at) ? "body" : at;
  }
  return undefined;
}

/** The run of names and dashes that a reference stands in: `fetch-ordr` is read as a subtraction, but was meant as an id. */
function dashedName(text: string, offset: number): FoundReference["dashed"] {
  let start = offset;
  while (start > 0 && /[\w-]/.test(text[start - 1]!)) start -= 1;
  const name = /^[A-Za-z_][\w-]*/.exec(text.slice(start, start + 256))?.[0];
  return name?.includes("-") === true ? { name, isFirst: start === offset } : undefined;
}
