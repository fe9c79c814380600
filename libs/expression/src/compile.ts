import { needBoolean } from "./boolean.ts";
import { callLibrary } from "./cel-library.ts";
import { compileComprehension } from "./comprehension.ts";
import { compileLogic } from "./logic.ts";
import { didYouMean } from "./did-you-mean.ts";
import { ExpressionError } from "./expression-error.ts";
import { errorAt, spend } from "./frame.ts";
import type { Find, Run } from "./frame.ts";
import { costOf, findFunction, functionNames } from "./functions.ts";
import { OPERATORS, limitInt } from "./operators.ts";
import { compileFind as compilePathFind, explainMissing } from "./path.ts";
import type { Base, Path } from "./path.ts";
import type { Span, Syntax } from "./syntax.ts";
import { Opaque, describeType } from "./value.ts";
import type { Value } from "./value.ts";

/** Turns syntax into closures. `source` is kept for messages. @throws ExpressionError for unknown functions and wrong numbers of arguments. */
export function compileRun(syntax: Syntax, source: string): Run {
  const compile = (part: Syntax): Run => compileRun(part, source);
  switch (syntax.kind) {
    case "literal": {
      const { value } = syntax;
      return () => value;
    }
    case "name":
    case "local":
    case "select":
    case "index": {
      const path = toPath(syntax, source);
      const find = compilePathFind(path);
      return (frame) => {
        const value = find(frame);
        if (value === undefined) throw explainMissing(path, frame, source);
        return value;
      };
    }
    case "call":
      return compileCall(syntax, compile);
    case "unary":
      return syntax.operator === "!"
        ? compileNot(compile(syntax.operand), syntax)
        : compileMinus(compile(syntax.operand), syntax);
    case "binary":
      return compileBinary(syntax, compile);
    case "conditional": {
      const test = compile(syntax.test);
      const consequent = compile(syntax.consequent);
      const alternate = compile(syntax.alternate);
      return (frame) => (needBoolean(test(frame), "?:", syntax.test) ? consequent(frame) : alternate(frame));
    }
    case "list": {
      const elements = syntax.elements.map(compile);
      return (frame) => {
        spend(frame, elements.length, syntax);
        return elements.map((element) => element(frame));
      };
    }
    case "map":
      return compileMap(syntax, compile);
    case "comprehension":
      return compileComprehension(syntax, compile);
    case "has": {
      const find = compileFind(syntax.operand, source);
      return (frame) => find(frame) !== undefined;
    }
    case "fallback": {
      const find = compileFind(syntax.operand, source);
      const fallback = compile(syntax.fallback);
      // null counts as missing: it is what the output of a skipped node and an empty answer of a tool look like.
      return (frame) => find(frame) ?? fallback(frame);
    }
  }
}

/** For what may be missing. A path answers without throwing; of anything else only errors of kind `missing` are forgiven. */
function compileFind(syntax: Syntax, source: string): Find {
  if (isPath(syntax) && isPlain(syntax)) return compilePathFind(toPath(syntax, source));
  const run = isPath(syntax) ? undefined : compileRun(syntax, source);
  const find = run ?? compilePathFind(toPath(syntax, source));
  return (frame) => {
    try {
      return find(frame);
    } catch (error) {
      if (error instanceof ExpressionError && error.kind === "missing") return undefined;
      throw error;
    }
  };
}

type PathSyntax = Extract<Syntax, { kind: "name" | "local" | "select" | "index" }>;

function isPath(syntax: Syntax): syntax is PathSyntax {
  return syntax.kind === "name" || syntax.kind === "local" || syntax.kind === "select" || syntax.kind === "index";
}

/** A path with nothing in it that could throw. */
function isPlain(syntax: Syntax): boolean {
  if (syntax.kind === "select") return isPlain(syntax.target);
  if (syntax.kind === "index") return syntax.key.kind === "literal" && isPlain(syntax.target);
  return syntax.kind === "name" || syntax.kind === "local";
}

/** Flattens `a.b[0].c`. `nodes["id"]` is the name of that node: the scope is never asked for all nodes at once. */
export function toPath(syntax: Syntax, source: string): Path {
  const path: Path = { base: undefined as unknown as Base, steps: [] };
  let part = syntax;
  for (;;) {
    const nodeId = namedNode(part);
    if (nodeId !== undefined) {
      path.base = { kind: "name", name: nodeId, span: part };
      break;
    }
    if (part.kind === "select") {
      path.steps.push({ key: part.field, span: part, keySpan: part.fieldSpan });
      part = part.target;
    } else if (part.kind === "index") {
      const { key } = part;
      if (key.kind === "literal") path.steps.push({ key: key.value, span: part, keySpan: key });
      else path.steps.push({ key: null, run: compileRun(key, source), span: part, keySpan: key });
      part = part.target;
    } else {
      path.base = toBase(part, source);
      break;
    }
  }
  path.steps.reverse();
  return path;
}

function toBase(syntax: Syntax, source: string): Base {
  if (syntax.kind === "name") {
    if (syntax.name === "nodes" && syntax.nodeId === undefined) throw nodesNeedsId(syntax);
    return { kind: "name", name: syntax.name, span: syntax };
  }
  if (syntax.kind === "local") return { kind: "local", slot: syntax.slot, span: syntax };
  return { kind: "value", run: compileRun(syntax, source), span: syntax };
}

/** The id in `nodes.id` and `nodes["id"]`. */
export function namedNode(syntax: Syntax): string | undefined {
  if (syntax.kind !== "select" && syntax.kind !== "index") return undefined;
  const { target } = syntax;
  if (target.kind !== "name" || target.name !== "nodes" || target.nodeId !== undefined) return undefined;
  if (syntax.kind === "select") return syntax.field;
  return syntax.key.kind === "literal" && typeof syntax.key.value === "string" ? syntax.key.value : undefined;
}

function nodesNeedsId(at: Span): ExpressionError {
  return errorAt(
    at,
    "syntax",
    "`nodes` is followed by the id of a node",
    'write nodes["my-node"].output: a constant, because the order of the nodes depends on it',
  );
}

function compileCall(syntax: Extract<Syntax, { kind: "call" }>, compile: (part: Syntax) => Run): Run {
  const { name, nameSpan, target } = syntax;
  const isMethod = target !== undefined;
  const parts = isMethod ? [target, ...syntax.args] : syntax.args;
  const found = findFunction(name, parts.length, isMethod);
  if (found === undefined) {
    throw errorAt(nameSpan, "syntax", `there is no function "${name}"`, didYouMean(name, functionNames()));
  }
  if (!found.accepts(parts.length, isMethod)) {
    throw errorAt(
      nameSpan,
      "syntax",
      `${name}() does not take ${parts.length} arguments${isMethod ? ", the value before the dot counted" : ""}`,
    );
  }
  const args = parts.map(compile);
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    for (const value of values) spend(frame, costOf(value), syntax);
    return found.apply(frame, values, syntax);
  };
}

function compileNot(operand: Run, at: Span): Run {
  return (frame) => !needBoolean(operand(frame), "!", at);
}

function compileMinus(operand: Run, at: Span): Run {
  return (frame) => {
    const value = operand(frame);
    if (typeof value === "bigint") return limitInt(-value, at);
    if (typeof value === "number") return -value;
    if (value instanceof Opaque) {
      try {
        return callLibrary("-a0", [value]);
      } catch (cause) {
        throw Object.assign(errorAt(at, "type", `"-" does not go with ${describeType(value)}`), { cause });
      }
    }
    throw errorAt(at, "type", `"-" needs a number, not ${describeType(value)}`);
  };
}

function compileBinary(syntax: Extract<Syntax, { kind: "binary" }>, compile: (part: Syntax) => Run): Run {
  const left = compile(syntax.left);
  const right = compile(syntax.right);
  if (syntax.operator === "&&") return compileLogic(false, left, right, syntax);
  if (syntax.operator === "||") return compileLogic(true, left, right, syntax);
  const operate = OPERATORS[syntax.operator];
  return (frame) => operate(frame, left(frame), right(frame), syntax);
}

function compileMap(syntax: Extract<Syntax, { kind: "map" }>, compile: (part: Syntax) => Run): Run {
  const fields = syntax.entries.map(({ key, value }) => ({ key: compile(key), value: compile(value), span: key }));
  return (frame) => {
    spend(frame, fields.length, syntax);
    const map = new Map<string, Value>();
    for (const { key, value, span: at } of fields) {
      const name = key(frame);
      // JSON knows only text as the name of a field, so that {1: "a"} is {"1": "a"}.
      if (typeof name === "object") throw errorAt(at, "type", `the name of a field cannot be ${describeType(name)}`);
      if (map.has(String(name))) throw errorAt(at, "value", `the field "${name}" is given twice`);
      map.set(String(name), value(frame));
    }
    return Object.fromEntries(map);
  };
}
