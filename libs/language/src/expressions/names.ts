import type { JsonObject } from "@heddle/engine";
import { didYouMean, findClosest } from "@heddle/expression";
import type { Reference } from "@heddle/expression";
import type { WorkflowDraft } from "../draft.ts";
import type { Graph } from "../graph/graph.ts";
import { listInnerIds, reportInner } from "../graph/inner-ids.ts";
import type { Report } from "../report.ts";
import { isJsonObject } from "../schema.ts";
import type { Span } from "../source/source-node.ts";
import type { FoundReference } from "./found-reference.ts";
import { itemNames, seenFromAround } from "./outward.ts";

const NODE_MEMBERS = ["output", "status", "attempt", "error"];
const LOOP_MEMBERS = ["index", "item", "count", "carry", "result"];
const MEMBERS_OF_PLACES = new Map<string, [what: string, members: string[]]>([
  ["error", ["the error", ["type", "message", "node", "class", "retryable", "details"]]],
  ["event", ["the event", ["id", "name", "key", "payload", "execution_id", "workflow_id", "occurred_at"]]],
  ["update", ["the update", ["name", "payload", "request_id"]]],
  ["query", ["the query", ["name", "args"]]],
  ["items", ["the items", ["succeeded", "failed", "count", "outputs"]]],
]);
const EXECUTION_MEMBERS = ["id", "namespace", "workflow_id", "version", "started_at", "status", "error"];

/**
 * Gives a function that reports references to what cannot exist. Needs a graph with its inferred dependencies. Of the
 * body of a map it returns what is to be looked up around the map.
 */
export function createNameCheck(
  workflow: WorkflowDraft,
  graph: Graph,
  report: Report,
): (found: FoundReference) => FoundReference | undefined {
  const { item } = workflow;
  const variables = listVariables(workflow);
  const inputFields = listFields(workflow.inputSchema);
  const findNodeLike = createNodeSearch(graph);
  const innerIds = listInnerIds(workflow.nodes);
  return (found) => {
    const { reference, locate, outward } = found;
    const { name, path, nodeId, optional } = reference;
    const [member] = path;
    if (nodeId !== undefined) {
      if (item !== undefined && !graph.indices.has(nodeId)) return seenFromAround(found, false);
      const mapId = graph.indices.has(nodeId) ? undefined : innerIds.get(nodeId);
      if (mapId !== undefined) reportInner(nodeId, mapId, locate(), report);
      else checkNode(reference, graph, report, locate);
    } else if (name === "execution") {
      checkMember("the execution", EXECUTION_MEMBERS, member, "use one of these", report, locate);
    } else if (name === "input") {
      if (item !== undefined) return seenFromAround(found, false);
      checkInput(workflow.inputSchema, reference, report, locate);
    } else if (name === "vars") {
      // The item's own variables come before those around it, once they are set.
      if (item !== undefined) return seenFromAround(found, member !== undefined && variables.has(member));
      if (member === undefined || optional || variables.has(member)) return undefined;
      const hint = (): string =>
        didYouMean(member, variables) ?? "add an action of subtype set, or give a default: vars.x ?? value";
      report.add("unknown-name", locate(), `no \`set\` action sets "${member}"`, hint);
    } else if (isOfPlace(workflow, found)) {
      if (outward !== undefined) outward.isField = false;
      if (name === "loop") checkMember("the loop", LOOP_MEMBERS, member, "use one of these", report, locate);
      const [what, members] = MEMBERS_OF_PLACES.get(found.names?.includes(name) ? name : "") ?? [];
      if (what !== undefined) checkMember(what, members ?? [], member, "use one of these", report, locate);
    } else if (name !== "current") {
      const isKnown = variables.has(name) || inputFields?.names.has(name) === true;
      if (!isKnown && readsInner(found, innerIds, report)) return undefined;
      const known = [...variables, ...(inputFields?.names ?? [])];
      const isGood =
        isKnown ||
        checkBareName(found, graph, inputFields?.isClosed === true ? known : undefined, findNodeLike, report);
      if (item !== undefined && isGood) return seenFromAround(found, true);
    }
    return undefined;
  };
}

/** Names that some places have: `error` where one is handled, `loop` and the item inside of loops, those of a map. */
function isOfPlace({ nodes, item }: WorkflowDraft, { reference, owner, inBody, names }: FoundReference): boolean {
  const { name } = reference;
  if (names?.includes(name) || (item !== undefined && itemNames(item.itemName).includes(name))) return true;
  if (owner === undefined) return false;
  for (let at = inBody ? owner : nodes[owner]!.container; at !== undefined; at = nodes[at]!.container) {
    const { body } = nodes[at]!;
    if (body.kind !== "loop") continue;
    if (name === "loop" || (body.forEach !== undefined && name === (body.itemName ?? "item"))) return true;
  }
  return false;
}

/** Reports what looks like a node, and is one in the body of a map. */
function readsInner(
  { reference, dashed, locate }: FoundReference,
  innerIds: ReadonlyMap<string, string>,
  report: Report,
): boolean {
  const id = dashed?.name ?? reference.name;
  const mapId = innerIds.get(id);
  if (mapId === undefined) return false;
  if (dashed === undefined && !NODE_MEMBERS.includes(reference.path[0] ?? "")) return false;
  if (dashed === undefined || dashed.isFirst) reportInner(id, mapId, locate(id.length), report);
  return true;
}

function checkNode({ name, path, nodeId }: Reference, graph: Graph, report: Report, locate: () => Span): void {
  if (nodeId === undefined) return;
  const [member] = path;
  if (graph.indices.has(nodeId)) {
    checkMember(`the node "${nodeId}"`, NODE_MEMBERS, member, `write ${name}.output.${member}`, report, locate);
    return;
  }
  const hint = (): string => didYouMean(nodeId, graph.indices.keys()) ?? "add it, or remove it here";
  report.add("unknown-node", locate(), `there is no node "${nodeId}"`, hint);
}

function checkMember(
  what: string,
  members: string[],
  member: string | undefined,
  otherwise: string,
  report: Report,
  locate: () => Span,
): void {
  if (member === undefined || members.includes(member)) return;
  const message = `${what} has no "${member}"; it has: ${members.join(", ")}`;
  report.add("unknown-member", locate(), message, didYouMean(member, members) ?? otherwise);
}

/**
 * A bare name is a variable, a field of what flows in, or a field of the input. Mostly it cannot be known beforehand
 * whether it exists, and then nothing is said, unless it looks like a slip of the pen in the id of a node.
 * `known`: what the name could be, when the input's schema allows nothing else.
 * @returns whether nothing was reported
 */
function checkBareName(
  found: FoundReference,
  graph: Graph,
  known: string[] | undefined,
  findNodeLike: NodeSearch,
  report: Report,
): boolean {
  const { reference, owner, dashed, locate } = found;
  const { name, path, optional } = reference;
  if (dashed !== undefined) {
    const meant = findNodeLike(dashed.name);
    if (meant !== undefined) {
      // Told once, at the first of the names that it is made of.
      const message = `there is no node "${dashed.name}"`;
      if (dashed.isFirst) report.add("unknown-name", locate(dashed.name.length), message, `did you mean "${meant}"?`);
      return false;
    }
  }
  const closest = path[0] === "output" || path[0] === "status" ? findNodeLike(name) : undefined;
  if (closest !== undefined) {
    const hint = `did you mean "${closest}"? A field of what flows in would be current.${name}`;
    report.add("unknown-name", locate(), `nothing is called "${name}"`, hint);
    return false;
  }
  if (!optional && known !== undefined && seesOnlyInput(graph, owner)) {
    const hint = (): string => {
      const candidates = [...known, "input", "current", "vars", "nodes", "execution", ...graph.indices.keys()];
      return didYouMean(name, candidates) ?? "add it to the input's schema, or set it with an action";
    };
    const message = `nothing is called "${name}": it is no variable, and no field of the input`;
    report.add("unknown-name", locate(), message, hint);
    return false;
  }
  return true;
}

type NodeSearch = (name: string) => string | undefined;

/** A name is compared with every id, so only so many different ones are. */
const MAX_SEARCHES = 200;

function createNodeSearch(graph: Graph): NodeSearch {
  const results = new Map<string, string | undefined>();
  return (name) => {
    if (!results.has(name) && results.size < MAX_SEARCHES) results.set(name, findClosest(name, graph.indices.keys()));
    return results.get(name);
  };
}

/** Without dependencies and activators what flows in is the input. */
function seesOnlyInput(graph: Graph, owner: number | undefined): boolean {
  if (owner !== undefined && graph.nodes[owner]!.container !== undefined) return false;
  return owner !== undefined && graph.dependencies[owner]!.length === 0 && graph.activators[owner]!.length === 0;
}

function listVariables(workflow: WorkflowDraft): Set<string> {
  const names = new Set<string>();
  for (const { body } of workflow.nodes) {
    if (body.kind === "action" && body.action === "set") for (const name of Object.keys(body.params)) names.add(name);
  }
  for (const { set = {} } of workflow.interactions.updates) for (const name of Object.keys(set)) names.add(name);
  return names;
}

interface FieldNames {
  names: Set<string>;
  /** No other fields are allowed. */
  isClosed: boolean;
}

/** Keywords that may add fields in ways that are not followed here. */
const OPEN_KEYWORDS = [
  "$ref",
  "$dynamicRef",
  "allOf",
  "anyOf",
  "oneOf",
  "if",
  "patternProperties",
  "dependentSchemas",
  "not",
];

/** undefined: the schema does not say. */
function listFields(schema: JsonObject | undefined): FieldNames | undefined {
  if (
    schema === undefined ||
    !isJsonObject(schema["properties"]) ||
    OPEN_KEYWORDS.some((keyword) => Object.hasOwn(schema, keyword))
  )
    return undefined;
  const isClosed = schema["additionalProperties"] === false || schema["unevaluatedProperties"] === false;
  return { names: new Set(Object.keys(schema["properties"])), isClosed };
}

function checkInput(
  root: JsonObject | undefined,
  { path, optional }: Reference,
  report: Report,
  locate: () => Span,
): void {
  let schema = root;
  let shown = "input";
  for (const field of path) {
    const fields = listFields(schema);
    if (schema === undefined || fields === undefined) return;
    if (!fields.names.has(field)) {
      const known = [...fields.names].slice(0, 12).join(", ");
      const hint = (): string => didYouMean(field, fields.names) ?? "add it to the input's schema";
      if (fields.isClosed)
        report.add("unknown-input", locate(), `"${shown}" has no field "${field}"; its schema has: ${known}`, hint);
      else if (!optional && schema["additionalProperties"] === undefined) {
        report.add(
          "undeclared-input",
          locate(),
          `the schema of "${shown}" does not name "${field}"; it has: ${known}`,
          hint,
        );
      }
      return;
    }
    const properties = schema["properties"] as JsonObject;
    const next = properties[field];
    schema = isJsonObject(next) ? next : undefined;
    shown = `${shown}.${field}`;
  }
}
