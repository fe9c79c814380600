/** A definition as read: plain values that know where they stand. Offsets are UTF-16 code units in the source text. */
export type SourceNode = SourceScalar | SourceList | SourceMap;

export interface Span {
  start: number;
  /** Exclusive. */
  end: number;
}

interface SourceBase extends Span {
  /** Values in it, itself and what its aliases stand for included. */
  size: number;
  /** Collections inside one another below it; 0 for a scalar. */
  depth: number;
}

export interface SourceScalar extends SourceBase {
  kind: "scalar";
  value: null | boolean | number | string;
  style: "plain" | "single" | "double" | "block";
}

export interface SourceList extends SourceBase {
  kind: "list";
  items: SourceNode[];
}

export interface SourceMap extends SourceBase {
  kind: "map";
  /** In document order; merged ones (`<<`) last. */
  entries: Map<string, SourceEntry>;
}

export interface SourceEntry {
  name: string;
  key: Span;
  value: SourceNode;
}

/** A value that has only one form in JSON, so that `kind` is enough to tell what it is. */
export function describeSource(node: SourceNode): string {
  if (node.kind !== "scalar") return node.kind === "list" ? "a list" : "an object";
  switch (typeof node.value) {
    case "string":
      return "text";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    default:
      return "empty";
  }
}
