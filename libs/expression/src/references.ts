import { namedNode } from "./compile.ts";
import type { Syntax } from "./syntax.ts";
import type { Reference } from "./types.ts";

/** The top-level names that an expression reads, in the order of the source. */
export function listReferences(syntax: Syntax): Reference[] {
  const references: Reference[] = [];
  collect(syntax, false, references);
  return references.sort((left, right) => left.offset - right.offset);
}

function collect(syntax: Syntax, optional: boolean, into: Reference[]): void {
  switch (syntax.kind) {
    case "name":
    case "select":
    case "index":
      collectPath(syntax, optional, into);
      return;
    case "has":
      collect(syntax.operand, true, into);
      return;
    case "fallback":
      collect(syntax.operand, true, into);
      collect(syntax.fallback, optional, into);
      return;
    default:
      for (const child of children(syntax)) collect(child, optional, into);
  }
}

function collectPath(syntax: Syntax, optional: boolean, into: Reference[]): void {
  let path: string[] = [];
  let part = syntax;
  for (;;) {
    const nodeId = namedNode(part);
    if (nodeId !== undefined) {
      into.push({ name: nodeId, path, offset: part.offset, length: part.end - part.offset, nodeId, optional });
      return;
    }
    if (part.kind === "select") {
      path.unshift(part.field);
      part = part.target;
    } else if (part.kind === "index") {
      const { key } = part;
      const constant = key.kind === "literal" ? key.value : undefined;
      if (typeof constant === "string" || typeof constant === "bigint") path.unshift(String(constant));
      else {
        // What is read behind a computed key is not known, so only the part before it counts.
        path = [];
        collect(key, optional, into);
      }
      part = part.target;
    } else break;
  }
  if (part.kind === "name") {
    const { name, nodeId, offset, end } = part;
    into.push({ name, path, offset, length: end - offset, optional, ...(nodeId === undefined ? {} : { nodeId }) });
  } else collect(part, optional, into);
}

function children(syntax: Syntax): Syntax[] {
  switch (syntax.kind) {
    case "call":
      return syntax.target === undefined ? syntax.args : [syntax.target, ...syntax.args];
    case "unary":
      return [syntax.operand];
    case "binary":
      return [syntax.left, syntax.right];
    case "conditional":
      return [syntax.test, syntax.consequent, syntax.alternate];
    case "list":
      return syntax.elements;
    case "map":
      return syntax.entries.flatMap(({ key, value }) => [key, value]);
    case "comprehension":
      return syntax.filter === undefined ? [syntax.range, syntax.body] : [syntax.range, syntax.filter, syntax.body];
    default:
      return [];
  }
}
