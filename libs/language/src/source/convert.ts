import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Document, Pair, ParsedNode, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { MAX_DEPTH, MAX_VALUES } from "../limits.ts";
import type { Report } from "../report.ts";
import type { SourceEntry, SourceList, SourceMap, SourceNode, SourceScalar, Span } from "./source-node.ts";

interface Conversion {
  report: Report;
  /** What the anchors so far stand for; while one is being converted it stands for undefined. */
  anchors: Map<string, SourceNode | undefined>;
  values: number;
  /** A limit was passed: what follows is not looked at. */
  stopped: boolean;
}

const KNOWN_TAGS = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

/** The document as plain nodes with places. Linear in the source: an alias is the node that it names, and only its size is added up. */
export function convertDocument(document: Document.Parsed<ParsedNode>, report: Report): SourceNode | undefined {
  const conversion: Conversion = { report, anchors: new Map(), values: 0, stopped: false };
  const [start, end] = document.range;
  const node = convert(document.contents, { start, end: Math.max(end, start + 1) }, conversion);
  return conversion.stopped ? undefined : node;
}

function convert(node: unknown, place: Span, conversion: Conversion): SourceNode {
  const empty: SourceScalar = { kind: "scalar", value: null, style: "plain", size: 1, depth: 0, ...place };
  if (conversion.stopped) return empty;
  if (isAlias(node)) return count(resolveAlias(node.source, spanOf(node, place), conversion) ?? empty, conversion);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return count(empty, conversion);
  const span = spanOf(node, place);
  if (node.tag !== undefined && !KNOWN_TAGS.has(node.tag)) {
    conversion.report.add(
      "unsupported-tag",
      span,
      `the tag ${node.tag} is not supported`,
      "remove it: a definition is plain data",
    );
  }
  const { anchor } = node;
  if (anchor !== undefined) conversion.anchors.set(anchor, undefined);
  const converted = isScalar(node)
    ? convertScalar(node, span, conversion)
    : isSeq(node)
      ? convertList(node, span, conversion)
      : convertMap(node, span, conversion);
  if (anchor !== undefined) conversion.anchors.set(anchor, converted);
  if (converted.depth > MAX_DEPTH)
    stop(
      conversion,
      "too-deep",
      span,
      `the definition is nested more than ${MAX_DEPTH} deep`,
      "flatten it: a workflow needs about ten levels",
    );
  return converted;
}

/** Sizes add up along aliases, so this is where a bomb of aliases ends. */
function count(node: SourceNode, conversion: Conversion): SourceNode {
  conversion.values += node.size;
  if (conversion.values > MAX_VALUES) {
    stop(
      conversion,
      "too-many-values",
      node,
      `the definition stands for more than ${MAX_VALUES} values, aliases counted`,
      "use fewer aliases, or split it into sub-workflows",
    );
  }
  return node;
}

function stop(
  conversion: Conversion,
  rule: "too-deep" | "too-many-values",
  at: Span,
  message: string,
  hint: string,
): void {
  if (!conversion.stopped) conversion.report.add(rule, at, message, hint);
  conversion.stopped = true;
}

function resolveAlias(name: string, span: Span, conversion: Conversion): SourceNode | undefined {
  const target = conversion.anchors.get(name);
  if (target === undefined) {
    const isInside = conversion.anchors.has(name);
    const message = isInside
      ? `*${name} stands inside of what it stands for`
      : `there is no anchor &${name} before this`;
    conversion.report.add(
      "bad-alias",
      span,
      message,
      isInside ? "a value cannot contain itself" : "a text that begins with * needs quotes",
    );
  }
  return target;
}

function convertScalar(node: Scalar, span: Span, conversion: Conversion): SourceScalar {
  const { value } = node;
  const style = STYLES.get(node.type ?? "PLAIN") ?? "plain";
  // Long texts weigh as much as many values: an alias of one must not be free.
  const size = typeof value === "string" ? 1 + Math.floor(value.length / TEXT_PER_VALUE) : 1;
  const scalar = { kind: "scalar", style, size, depth: 0, ...span } as const;
  const isPlainJson =
    value === null ||
    typeof value === "boolean" ||
    typeof value === "string" ||
    (typeof value === "number" && Number.isFinite(value));
  if (!isPlainJson) {
    conversion.report.add(
      "not-json",
      span,
      `${node.source ?? "this value"} has no form in JSON`,
      "put quotes around it to make it a text",
    );
    return count({ ...scalar, value: null }, conversion) as SourceScalar;
  }
  return count({ ...scalar, value }, conversion) as SourceScalar;
}

/** Characters of text that weigh as much as one value. */
const TEXT_PER_VALUE = 16;

const STYLES = new Map<string, SourceScalar["style"]>([
  ["QUOTE_SINGLE", "single"],
  ["QUOTE_DOUBLE", "double"],
  ["BLOCK_LITERAL", "block"],
  ["BLOCK_FOLDED", "block"],
]);

function convertList(node: YAMLSeq, span: Span, conversion: Conversion): SourceList {
  conversion.values += 1;
  const items = node.items.map((item) => convert(item, { start: span.start, end: span.start + 1 }, conversion));
  return { kind: "list", items, ...measure(items), ...span };
}

function convertMap(node: YAMLMap, span: Span, conversion: Conversion): SourceMap {
  conversion.values += 1;
  const entries = new Map<string, SourceEntry>();
  const merged: SourceNode[] = [];
  for (const pair of node.items) {
    const entry = convertPair(pair, span, conversion);
    if (entry === undefined) continue;
    if (entry.name === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN") merged.push(entry.value);
    else if (entries.has(entry.name)) {
      const first = conversion.report.lineOf(entries.get(entry.name)!.key.start);
      conversion.report.add(
        "duplicate-key",
        entry.key,
        `"${entry.name}" is given twice in the same object`,
        `remove one of them; the first is on line ${first}`,
      );
    } else entries.set(entry.name, entry);
  }
  for (const source of merged) merge(source, entries, conversion);
  return { kind: "map", entries, ...measure(Array.from(entries.values(), ({ value }) => value)), ...span };
}

function convertPair(pair: Pair, around: Span, conversion: Conversion): SourceEntry | undefined {
  const { key } = pair;
  const keySpan = spanOf(key, around);
  if (!isScalar(key) || typeof key.value !== "string") {
    const shown = isScalar(key) ? `the key ${key.source ?? "null"}` : "a key that is a collection";
    conversion.report.add("key-not-text", keySpan, `${shown} is not a text`, "put quotes around it");
    return undefined;
  }
  if (key.value === "__proto__") {
    conversion.report.add("forbidden-key", keySpan, "no field can be called __proto__", "use another name");
    return undefined;
  }
  const value = convert(pair.value, { start: keySpan.start, end: keySpan.end }, conversion);
  return { name: key.value, key: keySpan, value };
}

/** `<<: *defaults` or a list of such: fields that are given already win, and earlier sources win over later ones. */
function merge(source: SourceNode, entries: Map<string, SourceEntry>, conversion: Conversion): void {
  const sources = source.kind === "list" ? source.items : [source];
  for (const part of sources) {
    if (part.kind !== "map") {
      conversion.report.add("bad-alias", part, "`<<` merges objects only", "e.g. <<: *defaults");
      continue;
    }
    for (const entry of part.entries.values()) {
      if (entries.has(entry.name)) continue;
      entries.set(entry.name, entry);
      count(entry.value, conversion);
    }
    if (conversion.stopped) return;
  }
}

function measure(children: SourceNode[]): { size: number; depth: number } {
  let size = 1;
  let depth = 0;
  for (const child of children) {
    size += child.size;
    depth = Math.max(depth, child.depth);
  }
  return { size, depth: depth + 1 };
}

function spanOf(node: unknown, fallback: Span): Span {
  const range =
    typeof node === "object" && node !== null && "range" in node
      ? (node.range as [number, number, number] | null | undefined)
      : undefined;
  if (range === null || range === undefined) return fallback;
  return { start: range[0], end: Math.max(range[1], range[0]) };
}
