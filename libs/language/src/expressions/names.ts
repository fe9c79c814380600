import type { JsonObject } from "@heddle/engine";
import { didYouMean, findClosest } from "@heddle/expression";
import type { Reference } from "@heddle/expression";
import type { WorkflowDraft } from "../draft.ts";
import type { Graph } from "../graph/graph.ts";
import type { Report } from "../report.ts";
import { isJsonObject } from "../schema.ts";
import type { Span } from "../source/source-node.ts";

/** Reports a reference that names something that cannot exist. `locate` is only called then: it is not cheap. */
export type NameCheck = (reference: Reference, owner: number | undefined, locate: () => Span) => void;

const NODE_MEMBERS = ["output", "status", "attempt", "error"];
const EXECUTION_MEMBERS = ["id", "namespace", "workflow_id", "version", "started_at"];

export function createNameCheck(workflow: WorkflowDraft, graph: Graph, report: Report): NameCheck {
  const variables = listVariables(workflow);
  const inputFields = listFields(workflow.inputSchema);
  return (reference, owner, locate) => {
    const { name, path, nodeId, optional } = reference;
    const [member] = path;
    if (nodeId !== undefined) {
      if (!graph.indices.has(nodeId)) {
        report.add(
          "unknown-node",
          locate(),
          `there is no node "${nodeId}"`,
          didYouMean(nodeId, graph.indices.keys()) ?? "add it, or remove it here",
        );
      } else
        checkMember(`the node "${nodeId}"`, NODE_MEMBERS, member, `write ${name}.output.${member}`, report, locate);
    } else if (name === "execution") checkMember("the execution", EXECUTION_MEMBERS, member, "", report, locate);
    else if (name === "input") checkInput(workflow.inputSchema, reference, report, locate);
    else if (name === "vars") {
      if (member !== undefined && !optional && !variables.has(member)) {
        report.add(
          "unknown-name",
          locate(),
          `no \`set\` action sets "${member}"`,
          didYouMean(member, variables) ?? "add an action of subtype set, or give a default: vars.x ?? value",
        );
      }
    } else if (name !== "current" && !optional && !variables.has(name) && inputFields?.names.has(name) !== true) {
      checkBareName(
        reference,
        graph,
        inputFields?.isClosed === true && seesOnlyInput(graph, owner),
        [...variables, ...(inputFields?.names ?? [])],
        report,
        locate,
      );
    }
  };
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
  const hint = didYouMean(member, members) ?? (otherwise === "" ? `there is: ${members.join(", ")}` : otherwise);
  report.add("unknown-member", locate(), `${what} has no "${member}"; it has: ${members.join(", ")}`, hint);
}

/**
 * A bare name is a variable, a field of what flows in, or a field of the input. Mostly it cannot be known beforehand
 * whether it exists, and then nothing is said, unless it looks like a slip of the pen in the id of a node.
 */
function checkBareName(
  reference: Reference,
  graph: Graph,
  isKnown: boolean,
  known: string[],
  report: Report,
  locate: () => Span,
): void {
  const { name, path } = reference;
  const candidates = [...known, "input", "current", "vars", "nodes", "execution", ...graph.indices.keys()];
  const closest = path[0] === "output" || path[0] === "status" ? findClosest(name, graph.indices.keys()) : undefined;
  if (closest !== undefined) {
    report.add(
      "unknown-name",
      locate(),
      `nothing is called "${name}"`,
      `did you mean "${closest}"? A field of what flows in would be current.${name}`,
    );
  } else if (isKnown) {
    report.add(
      "unknown-name",
      locate(),
      `nothing is called "${name}": it is no variable, and no field of the input`,
      didYouMean(name, candidates) ?? "add it to the input's schema, or set it with an action",
    );
  }
}

/** Without dependencies and activators what flows in is the input. */
function seesOnlyInput(graph: Graph, owner: number | undefined): boolean {
  if (owner === undefined) return false;
  return graph.nodes[owner]!.dependencies.length === 0 && graph.activators[owner]!.length === 0;
}

function listVariables(workflow: WorkflowDraft): Set<string> {
  const names = new Set<string>();
  for (const { body } of workflow.nodes) {
    if (body.kind === "action" && body.action === "set") for (const name of Object.keys(body.params)) names.add(name);
  }
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
      const hint = didYouMean(field, fields.names) ?? "add it to the input's schema";
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
