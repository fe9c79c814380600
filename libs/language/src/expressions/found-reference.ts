import type { Reference } from "@heddle/expression";
import type { Span } from "../source/source-node.ts";

/** A name that an expression reads, with the place that reads it. */
export interface FoundReference {
  reference: Reference;
  /** The node that evaluates the expression; undefined: the workflow's output. */
  owner?: number;
  /** See `ExpressionUse`. */
  inBody?: true;
  names?: readonly string[];
  /** The text with dashes that the name is a part of, e.g. `fetch-ordr` for both of its names. */
  dashed?: { name: string; isFirst: boolean } | undefined;
  /** It stands in the body of a map that `owner` is, or has in its own body. */
  outward?: Outward;
  /** Only called for findings: it is not cheap. `length` is that of the name unless given. */
  locate: (length?: number) => Span;
}

/** What the body of a map reads around it; one object for all levels that it passes. */
export interface Outward {
  name: string;
  path: readonly string[];
  /** It is a node. */
  isNode: boolean;
  /** Nothing around is known to have the name: it may be a field of what flows into the map, and inside comes last. */
  isField: boolean;
}
