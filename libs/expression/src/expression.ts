import { compileRun } from "./compile.ts";
import { ExpressionError } from "./expression-error.ts";
import { createFrame } from "./frame.ts";
import type { Run } from "./frame.ts";
import type { Json } from "./json.ts";
import { parseExpression } from "./parser.ts";
import { compilePlainPath } from "./plain-path.ts";
import { listReferences } from "./references.ts";
import { toJson } from "./result.ts";
import type { Syntax } from "./syntax.ts";
import type { CompileOptions, Expression, Scope } from "./types.ts";

/**
 * Compiles what stands between `${` and `}`.
 * @throws ExpressionError with the place of the first fault: syntax, an unknown function, or a limit.
 */
export function compileExpression(source: string, options: CompileOptions = {}): Expression {
  const syntax = parseExpression(source, options.nodeIds);
  const run = compileRun(syntax, source);
  const references = listReferences(syntax);
  const evaluate = compilePlainPath(syntax, source) ?? evaluator(run, syntax);
  return { source, references, evaluate };
}

function evaluator(run: Run, syntax: Syntax): (scope: Scope) => Json {
  return (scope) => {
    try {
      return toJson(run(createFrame(scope)), syntax);
    } catch (error) {
      throw error instanceof RangeError ? tooDeep(error, syntax) : error;
    }
  };
}

/** Values come from outside and may be nested deeper than the stack is; nothing else here throws a RangeError. */
function tooDeep(cause: RangeError, syntax: Syntax): ExpressionError {
  const length = syntax.end - syntax.offset;
  const error = new ExpressionError({
    kind: "limit",
    message: "the values are nested too deeply",
    offset: syntax.offset,
    length,
  });
  return Object.assign(error, { cause });
}
