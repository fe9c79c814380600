import type { FailureTemplate } from "@heddle/engine";
import { didYouMean } from "@heddle/expression";
import type { ExpressionUse, WorkflowDraft, WorkflowHandlerDraft } from "./draft.ts";
import { type Fields, createFields } from "./fields.ts";
import type { Graph } from "./graph/graph.ts";
import { constantValue } from "./graph/choices.ts";
import { type HandlerMatch, readFallback, readHandlers } from "./nodes/on-error.ts";
import { type NodeReader, readTemplate } from "./nodes/reader.ts";
import { readClass } from "./nodes/retry.ts";
import type { Report } from "./report.ts";
import type { SourceMap } from "./source/source-node.ts";

const FIELDS = ["type", "class", "when", "action", "continue", "fallback", "fail"] as const;
const EXAMPLE = "e.g. on_error: { continue: null }, or a list like [{ type: timeout, fallback: by-hand }]";

/** `on_error` of the workflow: one handler, or a list of which the first counts that matches. */
export function readWorkflowHandlers(fields: Fields, uses: ExpressionUse[]): WorkflowHandlerDraft[] | undefined {
  const at = fields.find("on_error");
  if (at === undefined) return undefined;
  return readHandlers({ fields, uses }, at, { fields: FIELDS, example: EXAMPLE, read: readAction });
}

function readAction(reader: NodeReader, item: SourceMap, match: HandlerMatch): WorkflowHandlerDraft | undefined {
  const { fields } = reader;
  const given = ["action", "continue", "fallback", "fail"].filter((name) => item.entries.has(name));
  const [first, second] = given;
  if (second !== undefined) {
    const message = `${fields.what} has both "${first}" and "${second}"`;
    fields.report.add("conflicting-fields", item.entries.get(second)!.key, message, "keep one of them");
    return undefined;
  }
  switch (first) {
    case "action":
      return fields.oneOf("action", ["fail"]) && { ...match, action: "fail" };
    case "continue":
      return { ...match, action: "continue", value: readTemplate(reader, "continue")?.value ?? null };
    case "fallback": {
      const target = readFallback(fields);
      return target && { ...match, action: "fallback", target };
    }
    case "fail":
      return { ...match, action: "fail", failure: readFailure(reader) };
    default:
      fields.report.add("missing-field", item, `${fields.what} says nothing to do`, EXAMPLE);
      return undefined;
  }
}

/** The failure in the workflow's own words. */
function readFailure(reader: NodeReader): FailureTemplate {
  const map = reader.fields.object("fail");
  if (map === undefined) return {};
  const names = ["type", "message", "class", "details"] as const;
  const fields = createFields(map, `"fail" of ${reader.fields.what}`, names, reader.fields.report);
  const read = (name: string) =>
    fields.find(name) === undefined ? undefined : readTemplate({ ...reader, fields }, name);
  const [type, message, details] = [read("type"), read("message"), read("details")];
  const wanted = readClass(fields);
  return {
    ...(type && { type: type.value }),
    ...(message && { message: message.value }),
    ...(wanted && { class: wanted }),
    ...(details && { details: details.value }),
  };
}

/** What runs in the place of everything stands apart, and every handler can be asked. */
export function checkWorkflowHandlers({ onError = [] }: WorkflowDraft, graph: Graph, report: Report): void {
  for (const handler of onError) if (handler.action === "fallback") checkTarget(handler.target, graph, report);
  const last = onError.findIndex(({ types, class: wanted, when }) => {
    const isAlways = when === undefined || constantValue(when) === true;
    return types === undefined && wanted === undefined && isAlways;
  });
  const after = last < 0 ? undefined : onError[last + 1];
  if (after === undefined) return;
  const message = "this handler is never asked: the one before it matches every failure";
  report.add("unreachable-handler", after.at, message, "let the one that matches everything be the last");
}

type Target = Extract<WorkflowHandlerDraft, { action: "fallback" }>["target"];

function checkTarget({ id, at }: Target, graph: Graph, report: Report): void {
  const index = graph.indices.get(id);
  if (index === undefined) {
    report.add("unknown-node", at, `there is no node "${id}"`, () => {
      return didYouMean(id, graph.indices.keys()) ?? "add it, or remove it here";
    });
    return;
  }
  const why = findTie(graph, index);
  if (why === undefined) return;
  const message = `"${id}" runs in the place of the whole workflow, and ${why}`;
  report.add(
    "bad-workflow-fallback",
    at,
    message,
    "use a node of its own, which waits for nothing; a group holds several",
  );
}

/** What ties the node to others; undefined: it stands apart. */
function findTie(graph: Graph, index: number): string | undefined {
  const { nodes, dependencies, activators, fallbacks } = graph;
  const node = nodes[index]!;
  const nameOf = (other: number): string => `"${nodes[other]!.id}"`;
  if (node.container !== undefined) return `it is inside of ${nameOf(node.container)}`;
  if (node.body.kind === "switch" || node.body.kind === "parallel") return `a ${node.body.kind} leads to other nodes`;
  const [dependency] = dependencies[index]!;
  if (dependency !== undefined) return `it waits for ${nameOf(dependency.from)}`;
  const [activator] = activators[index]!;
  if (activator !== undefined) return `${nameOf(activator.from)} leads to it`;
  const [fallback] = fallbacks[index]!;
  if (fallback !== undefined) return `it has a fallback of its own, ${nameOf(fallback)}`;
  const dependent = dependencies.findIndex((edges) => edges.some(({ from }) => from === index));
  return dependent < 0 ? undefined : `${nameOf(dependent)} waits for it`;
}
