import type { Json } from "@heddle/engine";
import type { SourceNode } from "./source-node.ts";

/** The plain value. What an alias stands for is built once and shared. */
export function toJson(node: SourceNode): Json {
  return convert(node, new Map());
}

function convert(node: SourceNode, known: Map<SourceNode, Json>): Json {
  if (node.kind === "scalar") return node.value;
  const before = known.get(node);
  if (before !== undefined) return before;
  const json: Json =
    node.kind === "list"
      ? node.items.map((item) => convert(item, known))
      : Object.fromEntries(Array.from(node.entries.values(), ({ name, value }) => [name, convert(value, known)]));
  known.set(node, json);
  return json;
}
