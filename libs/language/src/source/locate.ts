import type { SourceNode, SourceScalar, Span } from "./source-node.ts";

/** Turns offsets into lines and columns, both counted from 1. */
export interface Lines {
  position(offset: number): { line: number; column: number };
  /** The text of a line without its end; empty beyond the last. */
  text(line: number): string;
}

export function createLines(source: string): Lines {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return {
    position(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
      // In characters, as editors count, not in UTF-16 code units.
      const before = source.slice(starts[low], offset);
      return { line: low + 1, column: Array.from(before).length + 1 };
    },
    text(line) {
      const start = starts[line - 1];
      return start === undefined ? "" : source.slice(start, starts[line]).replace(/[\r\n]+$/, "");
    },
  };
}

/** The path of the target: the value itself, or the key or scalar part that the span covers. */
export function findPath(root: SourceNode, target: SourceNode | Span): string {
  let path = "";
  let node = root;
  for (;;) {
    if (node === target || node.kind === "scalar") return path;
    const child = childAt(node, target);
    if (child === undefined) return path;
    path = child.isIndex ? `${path}[${child.name}]` : joinPath(path, child.name);
    if (child.isKey) return path;
    node = child.value;
  }
}

interface Child {
  name: string;
  isIndex: boolean;
  /** The target is the key and not the value behind it. */
  isKey: boolean;
  value: SourceNode;
}

function childAt(node: Exclude<SourceNode, SourceScalar>, target: Span): Child | undefined {
  if (node.kind === "list") {
    const index = node.items.findIndex((item) => item === target || covers(item, target));
    return index === -1 ? undefined : { name: String(index), isIndex: true, isKey: false, value: node.items[index]! };
  }
  for (const { name, key, value } of node.entries.values()) {
    const isKey = covers(key, target);
    if (isKey || value === target || covers(value, target)) return { name, isIndex: false, isKey, value };
  }
  return undefined;
}

function covers(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function joinPath(path: string, name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r\n|[^]))/y;
const BLANK_ESCAPES = new Set(["t", "\t", "n", "r", "v", "f", " ", "_", "L", "P", "N", "\n", "\r", "\r\n"]);

/** Gives the place in the source of a part of a scalar's text, by offset and length in the text. */
export type ScalarLocator = (offset: number, length: number) => Span;

/**
 * Quotes, escapes, folded lines and the indentation of blocks are no part of a scalar's text: characters that are not
 * blank stand in both in the same order, so the two are read side by side. That is done once, at the first question.
 */
export function createScalarLocator(source: string, scalar: SourceScalar): ScalarLocator {
  let places: { starts: Uint32Array; end: number } | undefined;
  return (offset, length) => {
    places ??= alignScalar(source, scalar);
    const { starts, end } = places;
    const start = offset < starts.length ? starts[offset]! : end;
    const last = Math.max(offset, Math.min(offset + length, starts.length) - 1);
    return { start, end: Math.max(start + 1, last < starts.length ? unitEnd(source, scalar, starts[last]!) : end) };
  };
}

/** Where each code unit of the text begins in the source, and where the last of them ends. */
function alignScalar(source: string, scalar: SourceScalar): { starts: Uint32Array; end: number } {
  const text = String(scalar.value);
  const starts = new Uint32Array(text.length);
  let at = contentStart(source, scalar);
  for (let index = 0; index < text.length; index += 1) {
    if (isBlank(text[index]!)) {
      starts[index] = at;
      if (source[at] === text[index]) at += 1;
      continue;
    }
    const unit = nextUnit(source, scalar, at);
    starts[index] = unit.start;
    at = unit.end;
    // An escape may stand for two code units; the second has no place of its own.
    if (unit.units === 2 && index + 1 < text.length) starts[(index += 1)] = unit.start;
  }
  return { starts, end: at };
}

function unitEnd(source: string, scalar: SourceScalar, start: number): number {
  if (scalar.style === "single" && source.startsWith("''", start)) return start + 2;
  if (scalar.style !== "double" || source[start] !== "\\") return start + 1;
  ESCAPE.lastIndex = start;
  return start + (ESCAPE.exec(source)?.[0].length ?? 1);
}

function contentStart(source: string, scalar: SourceScalar): number {
  if (scalar.style === "plain") return scalar.start;
  if (scalar.style !== "block") return scalar.start + 1;
  const lineEnd = source.indexOf("\n", scalar.start);
  return lineEnd === -1 ? scalar.end : lineEnd + 1;
}

/** The next character of the text that is not blank: where its source begins and ends. */
function nextUnit(source: string, scalar: SourceScalar, from: number): Span & { units: number } {
  let at = from;
  for (;;) {
    while (at < scalar.end && isBlank(source[at]!)) at += 1;
    if (at >= scalar.end) return { start: scalar.end, end: scalar.end, units: 1 };
    if (scalar.style === "single" && source.startsWith("''", at)) return { start: at, end: at + 2, units: 1 };
    if (scalar.style !== "double" || source[at] !== "\\") return { start: at, end: at + 1, units: 1 };
    ESCAPE.lastIndex = at;
    const [all = "\\", x, u, U, simple] = ESCAPE.exec(source) ?? [];
    const code = Number.parseInt(x ?? u ?? U ?? "", 16);
    const isBlankEscape =
      simple === undefined
        ? !Number.isNaN(code) && isBlank(String.fromCodePoint(Math.min(code, 0x10ffff)))
        : BLANK_ESCAPES.has(simple);
    if (!isBlankEscape) return { start: at, end: at + all.length, units: code > 0xffff ? 2 : 1 };
    at += all.length;
  }
}

function isBlank(character: string): boolean {
  return /\s|\u0085/.test(character);
}
