/** `missing` is what `??`, `orDefault` and `has` cope with; everything else is a fault of the expression or its values. */
export type ExpressionErrorKind = "syntax" | "limit" | "missing" | "type" | "value";

export interface ExpressionErrorOptions {
  kind: ExpressionErrorKind;
  message: string;
  /** Where in the source, in UTF-16 code units. */
  offset: number;
  length?: number;
  /** What to do about it. */
  hint?: string;
}

/** An expression that cannot be compiled or evaluated: what, where in its source, and what to do. */
export class ExpressionError extends Error {
  readonly kind: ExpressionErrorKind;
  readonly offset: number;
  readonly length: number;
  readonly hint: string | undefined;

  constructor(options: ExpressionErrorOptions) {
    super(options.message);
    this.name = "ExpressionError";
    this.kind = options.kind;
    this.offset = options.offset;
    this.length = options.length ?? 1;
    this.hint = options.hint;
  }
}
