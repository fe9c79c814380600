import { parseSync } from "oxc-parser";

/** A node of the syntax tree (ESTree with TypeScript), as loosely typed as a walk over all kinds needs it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One place where a file names another module: `import`, `export from`, `import()`, `import type`, `require`. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** True when only the type checker sees it: nothing is loaded. */
  readonly isType: boolean;
}

/** One place where a file reads a name that it may not have declared itself. */
export interface Reference {
  /** `Date`, or with its property when it is read by name: `Math.random`. */
  readonly name: string;
  readonly line: number;
}

/** What the rules ask about one source file. Everything is computed when first asked for: most rules need little. */
export interface Syntax {
  readonly program: SyntaxNode;
  readonly imports: readonly Import[];
  readonly references: readonly Reference[];
  lineOf(offset: number): number;
}

/** Calls `visit` for every node, parents first. `key` is the field of the parent that holds the node. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined, key: string) => void,
  parent?: SyntaxNode,
  key = "",
): void {
  visit(node, parent, key);
  for (const [childKey, child] of Object.entries(node)) {
    for (const item of Array.isArray(child) ? child : [child]) {
      if (isNode(item)) walk(item, visit, node, childKey);
    }
  }
}

/** Parses TypeScript or JavaScript. Throws with the parser's words when the text is not valid. */
export function parseSyntax(path: string, text: string): Syntax {
  const result = parseSync(path, text);
  const fault = result.errors[0];
  if (fault !== undefined) throw new Error(`${path} does not parse: ${fault.message}`);
  const lineOf = createLineIndex(text);
  let program: SyntaxNode | undefined;
  let imports: readonly Import[] | undefined;
  let references: readonly Reference[] | undefined;
  return {
    get program() {
      program ??= result.program as unknown as SyntaxNode;
      return program;
    },
    get imports() {
      imports ??= collectImports(this.program, lineOf);
      return imports;
    },
    get references() {
      references ??= collectReferences(this.program, lineOf);
      return references;
    },
    lineOf,
  };
}

/** The text of a string literal or of a template without holes, else undefined. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type !== "TemplateLiteral") return undefined;
  const quasis = node["quasis"] as { value: { cooked: string } }[];
  return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** An import that only the type checker sees counts too: it is a dependency of the person who reads the file. */
function collectImports(program: SyntaxNode, lineOf: (offset: number) => number): Import[] {
  const found: Import[] = [];
  walk(program, (node) => {
    const specifier = literalText(importedFrom(node));
    if (specifier === undefined) return;
    const isType = node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type";
    found.push({ specifier, line: lineOf(node.start), isType });
  });
  return found;
}

function importedFrom(node: SyntaxNode): unknown {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node["source"];
    case "TSExternalModuleReference":
      return node["expression"];
    case "CallExpression":
      return isRequire(node["callee"]) ? (node["arguments"] as unknown[])[0] : undefined;
    default:
      return undefined;
  }
}

/** `require("x")`, `require.resolve("x")` and `import.meta.resolve("x")` all need x to be installed. */
function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === "Identifier") return callee["name"] === "require";
  if (callee.type !== "MemberExpression" || memberName(callee) !== "resolve") return false;
  const object = callee["object"];
  return isNode(object) && (object.type === "MetaProperty" || object["name"] === "require");
}

function collectReferences(program: SyntaxNode, lineOf: (offset: number) => number): Reference[] {
  const found: Reference[] = [];
  walk(program, (node, parent, key) => {
    if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true)) {
      found.push({ name: "await", line: lineOf(node.start) });
    }
    if (node["async"] === true) found.push({ name: "async", line: lineOf(node.start) });
    if (node.type !== "Identifier" || !isRead(node, parent, key)) return;
    const name = String(node["name"]);
    const property = parent?.type === "MemberExpression" && key === "object" ? memberName(parent) : undefined;
    const destructured = parent?.type === "VariableDeclarator" && key === "init" ? patternKeys(parent["id"]) : [];
    const line = lineOf(node.start);
    found.push({ name, line });
    for (const inner of property === undefined ? destructured : [property]) {
      found.push({ name: `${name}.${inner}`, line });
    }
  });
  return found;
}

/** The name after the dot, also as `process["env"]`. */
function memberName(member: SyntaxNode): string | undefined {
  const property = member["property"];
  if (!isNode(property)) return undefined;
  return member["computed"] === true ? literalText(property) : String(property["name"]);
}

/** Names that `const { a, b: c } = x` takes out of x: a, b. */
function patternKeys(pattern: unknown): string[] {
  if (!isNode(pattern) || pattern.type !== "ObjectPattern") return [];
  return (pattern["properties"] as SyntaxNode[])
    .map((property) => (isNode(property["key"]) ? property["key"]["name"] : undefined))
    .filter((name) => typeof name === "string");
}

/** False where an identifier is only a label: `x.Date`, `{ Date: 1 }`, `interface { Date: string }`. */
function isRead(node: SyntaxNode, parent: SyntaxNode | undefined, key: string): boolean {
  if (parent === undefined || parent["computed"] === true) return true;
  if (parent.type === "MemberExpression") return key === "object";
  if (parent.type === "TSQualifiedName") return key === "left";
  if (parent.type === "Property") return key === "value" || parent["shorthand"] === true;
  if (parent.type === "ImportSpecifier" || parent.type === "ExportSpecifier") return key === "local";
  return key !== "key" && key !== "label" && !(parent.type === "TSPropertySignature" && node === parent["key"]);
}

function createLineIndex(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
