import type { Value } from "./value.ts";

/** Where a piece of syntax stands in the source, in UTF-16 code units; `end` is exclusive. */
export interface Span {
  offset: number;
  end: number;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "&&" | "||";
export type ComprehensionMacro = "all" | "exists" | "exists_one" | "map" | "filter";

/** The syntax tree of CEL, with comprehensions, `has` and `??` kept as what the author wrote. */
export type Syntax = Span &
  (
    | { kind: "literal"; value: Value }
    | { kind: "name"; name: string; nodeId?: string }
    /** A variable of a comprehension; `slot` is its depth. */
    | { kind: "local"; name: string; slot: number }
    | { kind: "select"; target: Syntax; field: string; fieldSpan: Span }
    | { kind: "index"; target: Syntax; key: Syntax }
    | { kind: "call"; name: string; nameSpan: Span; target?: Syntax; args: Syntax[] }
    | { kind: "unary"; operator: "!" | "-"; operand: Syntax }
    | { kind: "binary"; operator: BinaryOperator; operatorSpan: Span; left: Syntax; right: Syntax }
    | { kind: "conditional"; test: Syntax; consequent: Syntax; alternate: Syntax }
    | { kind: "list"; elements: Syntax[] }
    | { kind: "map"; entries: { key: Syntax; value: Syntax }[] }
    | {
        kind: "comprehension";
        macro: ComprehensionMacro;
        range: Syntax;
        slot: number;
        /** Only `map` with three arguments: which elements are mapped. */
        filter?: Syntax;
        body: Syntax;
      }
    | { kind: "has"; operand: Syntax }
    /** `a ?? b` and `orDefault(a, b)`. */
    | { kind: "fallback"; operand: Syntax; fallback: Syntax }
  );
