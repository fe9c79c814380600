import type { Json } from "./json.ts";

/**
 * What an expression can see. Names are resolved one by one when they are needed, so that an evaluation costs what it
 * reads and not what exists: never build an object of all nodes to answer.
 */
export interface Scope {
  /**
   * The value of a top-level name: `input`, `vars`, `current`, `execution`, the id of a node (`nodes["id"]` asks for
   * the id too), or a bare name. undefined: nothing is called so; null is a value.
   */
  get(name: string): Json | undefined;
  /** Answers `In("state")`: whether a machine is in that state. Absent outside of state machines. */
  isIn?(state: string): boolean;
  /** What exists, for the message of an error only. */
  names?(): Iterable<string>;
}

export interface CompileOptions {
  /**
   * The ids of the definition's nodes. With them an id that has dashes works as written (`my-node.output`) and
   * references say which node they mean. Pass one object for all expressions of a definition: it is only asked.
   */
  nodeIds?: NodeIds;
}

/** A Set of ids, or what answers like one. */
export type NodeIds = Pick<ReadonlySet<string>, "has">;

/** A top-level name that an expression reads. */
export interface Reference {
  /** The name as the scope is asked for it: for `nodes["a b"]` this is `a b`. */
  name: string;
  /** The fields that are read from it as far as they are constant: `["output", "url"]` for `a.output.url[i]`. List positions are in decimal. */
  path: string[];
  /** Where the name stands in the source, in UTF-16 code units. */
  offset: number;
  length: number;
  /** Set when the name is one of `nodeIds`, or is written as `nodes["id"]` (then even if there is no such node). */
  nodeId?: string;
  /** The expression copes with its absence: it stands inside `has(...)`, or left of `??` or first in `orDefault(...)`. */
  optional: boolean;
}

/** One compiled expression: what stands between `${` and `}`. Immutable, may be shared and evaluated any number of times. */
export interface Expression {
  source: string;
  references: readonly Reference[];
  /** @throws ExpressionError; the value is plain JSON and may share structure with the scope's values: do not write to it. */
  evaluate(scope: Scope): Json;
}

/** JSON whose texts may hold `${...}`. */
export interface Template {
  /** Offsets are inside the text that holds the reference. */
  references: readonly Reference[];
  /** true: nothing to evaluate, `evaluate` always gives the same value. */
  isConstant: boolean;
  /** @throws ExpressionError */
  evaluate(scope: Scope): Json;
}
