import type { Json } from "@heddle/engine";
import type { Condition, ExpressionUse, NodeRef } from "../draft.ts";
import type { Fields } from "../fields.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceNode, SourceScalar } from "../source/source-node.ts";
import { toJson } from "../source/to-json.ts";

/** What readers of fields share: where they leave the expressions that they meet, to be compiled when all ids are known. */
export interface NodeReader {
  fields: Fields;
  /** undefined: the workflow itself. */
  owner?: number;
  uses: ExpressionUse[];
  /** What is special about its expressions. */
  marks?: Pick<ExpressionUse, "inBody" | "names">;
}

/** A field whose texts may hold `${...}`; null is a value here when the field is written. */
export function readTemplate(reader: NodeReader, name: string): { at: SourceNode; value: Json } | undefined {
  const at = reader.fields.map.entries.get(name)?.value;
  if (at === undefined) return undefined;
  useTemplate(reader, at);
  return { at, value: toJson(at) };
}

export function useTemplate(reader: NodeReader, at: SourceNode): void {
  reader.uses.push({ kind: "template", at, ...useOf(reader) });
}

function useOf({ owner, marks }: NodeReader): Omit<ExpressionUse, "kind" | "at"> {
  return { ...(owner === undefined ? {} : { owner }), ...marks };
}

/** `${...}`, bare CEL, true or false. */
export function readCondition(reader: NodeReader, at: SourceNode, what: string): Condition | undefined {
  const { report } = reader.fields;
  if (at.kind === "scalar" && typeof at.value === "boolean")
    return { source: String(at.value), at, constant: at.value };
  if (at.kind !== "scalar" || typeof at.value !== "string") {
    report.add(
      "wrong-type",
      at,
      `${what} is ${describeSource(at)} where an expression is expected`,
      'e.g. "${input.score > 0.8}"',
    );
    return undefined;
  }
  reader.uses.push({ kind: "expression", at, ...useOf(reader) });
  return { source: stripBraces(at.value).source, at };
}

/** `${x}` without its braces; a text without them is an expression as it is. */
export function stripBraces(text: string): { source: string; offset: number } {
  const match = /^(\s*\$\{)([^]*)\}\s*$/.exec(text);
  return match === null ? { source: text, offset: 0 } : { source: match[2]!, offset: match[1]!.length };
}

/** Ids of nodes: a list, or a single one. */
export function readNodeRefs(fields: Fields, name: string, { allowSingle }: { allowSingle: boolean }): NodeRef[] {
  const node = fields.find(name);
  if (node === undefined) return [];
  const wanted = allowSingle ? "the id of a node or a list of ids" : "a list of ids of nodes";
  const items = node.kind === "list" ? node.items : allowSingle && node.kind === "scalar" ? [node] : undefined;
  if (items === undefined) {
    fields.report.add(
      "wrong-type",
      node,
      `"${name}" of ${fields.what} is ${describeSource(node)} where ${wanted} is expected`,
      `e.g. ${name}: [first, second]`,
    );
    return [];
  }
  const refs: NodeRef[] = [];
  for (const item of items) {
    if (isText(item)) refs.push({ id: item.value, at: item });
    else
      fields.report.add(
        "wrong-type",
        item,
        `"${name}" of ${fields.what} holds ${describeSource(item)} where the id of a node is expected`,
        "write the id as text",
      );
  }
  return rejectRepeated(refs, name, fields);
}

function rejectRepeated(refs: NodeRef[], name: string, fields: Fields): NodeRef[] {
  const seen = new Set<string>();
  return refs.filter((ref) => {
    if (seen.has(ref.id))
      fields.report.add(
        "duplicate-target",
        ref.at,
        `"${name}" of ${fields.what} names "${ref.id}" twice`,
        "remove one of them",
      );
    const isNew = !seen.has(ref.id);
    seen.add(ref.id);
    return isNew;
  });
}

/** A name that others match cannot be computed. */
export function rejectExpression(fields: Fields, name: string, hint: string): void {
  const at = fields.find(name);
  if (at === undefined || !isText(at) || !at.value.includes("${")) return;
  fields.report.add(
    "not-evaluated",
    at,
    `"${name}" of ${fields.what} is a name, where expressions are not evaluated`,
    hint,
  );
}

export function isText(node: SourceNode): node is SourceScalar & { value: string } {
  return node.kind === "scalar" && typeof node.value === "string";
}
