import { expressionDepthMax } from "../limits.ts";
import { type Assignment, type Expression, UntranslatableError } from "./syntax.ts";
import { type Token, tokenize } from "./tokenize.ts";

/** How tightly operators bind; the tighter the larger. */
const BINARY: Readonly<Record<string, number>> = {
  "??": 0.5,
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "===": 3,
  "!==": 3,
  "<": 4,
  ">": 4,
  "<=": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};
const UNARY = new Set(["!", "-", "+", "typeof"]);
/** Names that begin what is no expression of ours. */
const WORDS = new Set(["function", "new", "delete", "void", "in", "instanceof", "this", "class", "await", "yield"]);

/** @throws UntranslatableError */
export function parseExpression(text: string): Expression {
  const parser = createParser(text);
  const expression = parser.expression();
  parser.expectEnd();
  return expression;
}

/** The assignments of a script, `var` before them or not. @throws UntranslatableError for everything else */
export function parseScript(text: string): Assignment[] {
  const parser = createParser(text);
  const assignments: Assignment[] = [];
  while (!parser.isAtEnd()) {
    if (parser.skip(";")) continue;
    assignments.push(parser.assignment());
    if (!parser.isAtEnd()) parser.expect(";");
  }
  return assignments;
}

function createParser(text: string) {
  const tokens = tokenize(text);
  let next = 0;
  let depth = 0;
  const peek = (): Token => tokens[next]!;
  const isSign = (sign: string): boolean => peek().kind === "sign" && peek().text === sign;
  const skip = (sign: string): boolean => isSign(sign) && next++ >= 0;
  const expect = (sign: string): void => {
    if (!skip(sign)) throw unexpected(peek(), `"${sign}"`);
  };

  function expression(): Expression {
    depth += 1;
    if (depth > expressionDepthMax) {
      throw new UntranslatableError("the expression is nested too deeply", {
        at: peek().at,
        hint: `at most ${expressionDepthMax} deep; put parts of it into fields of the context`,
      });
    }
    const condition = binary(0.5);
    let result = condition;
    if (skip("?")) {
      const yes = expression();
      expect(":");
      result = { kind: "conditional", condition, yes, no: expression(), at: condition.at };
    }
    depth -= 1;
    return result;
  }

  function binary(min: number): Expression {
    let left = unary();
    for (;;) {
      const { kind, text: operator, at } = peek();
      const power = kind === "sign" && Object.hasOwn(BINARY, operator) ? BINARY[operator]! : 0;
      if (power < min) return left;
      next += 1;
      left = { kind: "binary", operator, left, right: binary(power + 0.5), at };
    }
  }

  function unary(): Expression {
    const token = peek();
    if ((token.kind === "sign" || token.kind === "name") && UNARY.has(token.text)) {
      next += 1;
      depth += 1;
      if (depth > expressionDepthMax) throw unexpected(token, "less of them");
      const operand = unary();
      depth -= 1;
      return { kind: "unary", operator: token.text as "!", operand, at: token.at };
    }
    return postfix(primary());
  }

  function postfix(start: Expression): Expression {
    let object = start;
    for (;;) {
      if (skip(".")) {
        const { kind, text: property, at } = peek();
        if (kind !== "name") throw unexpected(peek(), "the name of a field");
        next += 1;
        object = { kind: "member", object, property, at };
      } else if (isSign("[")) {
        const { at } = peek();
        next += 1;
        object = { kind: "index", object, index: expression(), at };
        expect("]");
      } else if (skip("(")) object = { kind: "call", callee: object, arguments: list(")"), at: object.at };
      else return object;
    }
  }

  function list(end: string): Expression[] {
    const items: Expression[] = [];
    while (!skip(end)) {
      items.push(expression());
      if (!isSign(end)) expect(",");
    }
    return items;
  }

  function primary(): Expression {
    const { kind, text: word, at } = peek();
    next += 1;
    if (kind === "number") return { kind: "literal", value: Number(word), at };
    if (kind === "string") return { kind: "literal", value: word, at };
    if (kind === "name" && !WORDS.has(word)) return constant(word, at) ?? { kind: "name", name: word, at };
    if (kind === "sign" && word === "(") {
      const inner = expression();
      expect(")");
      return inner;
    }
    if (kind === "sign" && word === "[") return { kind: "list", items: list("]"), at };
    if (kind === "sign" && word === "{") return object(at);
    next -= 1;
    throw unexpected(peek(), "a value");
  }

  function object(at: number): Expression {
    const fields: { name: string; value: Expression }[] = [];
    while (!skip("}")) {
      const { kind, text: name } = peek();
      if (kind !== "name" && kind !== "string" && kind !== "number") throw unexpected(peek(), "the name of a field");
      next += 1;
      expect(":");
      fields.push({ name, value: expression() });
      if (!isSign("}")) expect(",");
    }
    return { kind: "object", fields, at };
  }

  function assignment(): Assignment {
    if (peek().kind === "name" && ["var", "let", "const"].includes(peek().text)) next += 1;
    const target = postfix(primary());
    const { text: sign, at } = peek();
    next += 1;
    const one: Expression = { kind: "literal", value: 1, at };
    if (sign === "=") return { target, value: expression() };
    if (sign === "++" || sign === "--") {
      return { target, value: { kind: "binary", operator: sign[0]!, left: target, right: one, at } };
    }
    if (/^[-+*/%]=$/.test(sign)) {
      return { target, value: { kind: "binary", operator: sign[0]!, left: target, right: expression(), at } };
    }
    next -= 1;
    throw new UntranslatableError("only assignments can be converted of a script", {
      at: target.at,
      hint: 'let a tool do the rest: <invoke type="tool">',
    });
  }

  return {
    expression,
    assignment,
    skip,
    expect,
    isAtEnd: () => peek().kind === "end",
    expectEnd(): void {
      if (peek().kind !== "end") throw unexpected(peek(), "the end");
    },
  };
}

function constant(word: string, at: number): Expression | undefined {
  switch (word) {
    case "true":
    case "false":
      return { kind: "literal", value: word === "true", at };
    case "null":
    case "undefined":
      return { kind: "literal", value: null, at };
    default:
      return undefined;
  }
}

function unexpected({ kind, text, at }: Token, wanted: string): UntranslatableError {
  const found = kind === "end" ? "the end" : JSON.stringify(text);
  return new UntranslatableError(`${found} stands where ${wanted} is expected`, {
    at,
    hint: "comparisons, arithmetic, && || !, ?:, member access, lists, objects and In() can be converted",
  });
}
