/** The part of ECMAScript that can be said in the expression language of definitions. Offsets are those in the expression's text. */
export type Expression =
  | { kind: "literal"; value: string | number | boolean | null; at: number }
  | { kind: "name"; name: string; at: number }
  | { kind: "member"; object: Expression; property: string; at: number }
  | { kind: "index"; object: Expression; index: Expression; at: number }
  | { kind: "list"; items: Expression[]; at: number }
  | { kind: "object"; fields: { name: string; value: Expression }[]; at: number }
  | { kind: "unary"; operator: "!" | "-" | "+" | "typeof"; operand: Expression; at: number }
  | { kind: "binary"; operator: string; left: Expression; right: Expression; at: number }
  | { kind: "conditional"; condition: Expression; yes: Expression; no: Expression; at: number }
  | { kind: "call"; callee: Expression; arguments: Expression[]; at: number };

/** `x = 1`, `x += 1`, `x++`: all that a script may hold. */
export interface Assignment {
  target: Expression;
  value: Expression;
}

/** What cannot be said; `at` is the place in the expression. */
export class UntranslatableError extends Error {
  readonly at: number;
  readonly hint: string;

  constructor(message: string, { at, hint }: { at: number; hint: string }) {
    super(message);
    this.name = "UntranslatableError";
    this.at = at;
    this.hint = hint;
  }
}
