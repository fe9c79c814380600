import { needBoolean } from "./boolean.ts";
import { ExpressionError } from "./expression-error.ts";
import type { Frame, Run } from "./frame.ts";
import type { Syntax } from "./syntax.ts";

/**
 * `&&` is decided by one false and `||` by one true, whichever side it stands on: an error on the other side does not
 * matter then. That is CEL's rule; it makes the order of the operands irrelevant.
 */
export function compileLogic(
  deciding: boolean,
  left: Run,
  right: Run,
  syntax: Extract<Syntax, { kind: "binary" }>,
): Run {
  const evaluate = (side: "left" | "right", frame: Frame): boolean =>
    needBoolean(side === "left" ? left(frame) : right(frame), syntax.operator, syntax[side]);
  return (frame) => {
    let first: boolean;
    try {
      first = evaluate("left", frame);
    } catch (failure) {
      if (!isForgivable(failure)) throw failure;
      if (decides(() => evaluate("right", frame), deciding)) return deciding;
      throw failure;
    }
    return first === deciding ? deciding : evaluate("right", frame);
  };
}

function decides(run: () => boolean, deciding: boolean): boolean {
  try {
    return run() === deciding;
  } catch (failure) {
    if (isForgivable(failure)) return false;
    throw failure;
  }
}

/** What another operand may make up for. A limit is final: an expression that goes on after it would have none. */
export function isForgivable(failure: unknown): boolean {
  return failure instanceof ExpressionError && failure.kind !== "limit";
}
