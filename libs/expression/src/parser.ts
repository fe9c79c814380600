import { ExpressionError } from "./expression-error.ts";
import { tokenize } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import { MAX_COMPREHENSION_NESTING, MAX_NESTING, MAX_SYNTAX_DEPTH } from "./limits.ts";
import type { BinaryOperator, ComprehensionMacro, Span, Syntax } from "./syntax.ts";
import type { NodeIds } from "./types.ts";

/** Operators that are left-associative, weakest first. `?:` and `??` are weaker still and stand in `parseExpression`. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];
const MACROS: readonly string[] = ["all", "exists", "exists_one", "map", "filter"] satisfies ComprehensionMacro[];

/**
 * Reads CEL, with `??` between `||` and `?:`, and ids with dashes.
 * @throws ExpressionError at the first token that does not fit.
 */
export function parseExpression(source: string, nodeIds?: NodeIds): Syntax {
  const parser = new Parser(tokenize(source, nodeIds));
  return parser.parse();
}

/** Recursive descent over tokens; lives for one expression. */
class Parser {
  #tokens: Token[];
  #at = 0;
  #nesting = 0;
  /** Variables of the comprehensions around, outermost first. */
  #locals: string[] = [];

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  parse(): Syntax {
    if (this.#peek().kind === "end") {
      throw new ExpressionError({
        kind: "syntax",
        message: "the expression is empty",
        offset: 0,
        hint: "write a name, e.g. ${input.id}",
      });
    }
    const syntax = this.#expression();
    if (this.#peek().kind !== "end") throw this.#unexpected("an operator or the end of the expression");
    return syntax;
  }

  #expression(): Syntax {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw this.#tooDeep();
    const test = this.#fallback();
    let syntax = test;
    if (this.#accept("?")) {
      const consequent = this.#fallback();
      this.#expect(":", "`:` and the value for false");
      const alternate = this.#expression();
      syntax = { kind: "conditional", test, consequent, alternate, offset: test.offset, end: alternate.end };
    }
    this.#nesting -= 1;
    return syntax;
  }

  /** Right-associative: `a ?? b ?? c` tries a, then b, then c. */
  #fallback(): Syntax {
    const operands = [this.#binary(0)];
    while (this.#accept("??")) operands.push(this.#binary(0));
    return this.#limitChain(operands.length, () =>
      operands.reduceRight((fallback, operand) => ({
        kind: "fallback",
        operand,
        fallback,
        offset: operand.offset,
        end: fallback.end,
      })),
    );
  }

  #binary(level: number): Syntax {
    const operators: readonly string[] | undefined = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (let chain = 1; ; chain += 1) {
      const token = this.#peek();
      if (token.kind !== "symbol" || !operators.includes(token.text)) return left;
      this.#at += 1;
      const right = this.#binary(level + 1);
      const operator = token.text as BinaryOperator;
      const span = { offset: left.offset, end: right.end };
      const operands = { left, right };
      left = this.#limitChain(chain, () => ({
        kind: "binary",
        operator,
        operatorSpan: spanOf(token),
        ...operands,
        ...span,
      }));
    }
  }

  #unary(): Syntax {
    const token = this.#peek();
    if (token.kind !== "symbol" || (token.text !== "!" && token.text !== "-"))
      return this.#checkInt(this.#member(this.#primary()));
    this.#at += 1;
    const next = this.#peek();
    if (
      token.text === "-" &&
      next.kind === "literal" &&
      (typeof next.value === "bigint" || typeof next.value === "number")
    ) {
      this.#at += 1;
      return this.#member({ kind: "literal", value: -next.value, offset: token.offset, end: next.end });
    }
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw this.#tooDeep();
    const operand = this.#unary();
    this.#nesting -= 1;
    return { kind: "unary", operator: token.text, operand, offset: token.offset, end: operand.end };
  }

  /** 2^63 is an int only with a minus before it. */
  #checkInt(syntax: Syntax): Syntax {
    if (syntax.kind !== "literal" || syntax.value !== 2n ** 63n) return syntax;
    throw new ExpressionError({
      kind: "syntax",
      message: "the number does not fit in 64 bits",
      offset: syntax.offset,
      length: syntax.end - syntax.offset,
    });
  }

  #member(start: Syntax): Syntax {
    let target = start;
    for (let chain = 1; ; chain += 1) {
      if (this.#accept(".")) target = this.#limitChain(chain, this.#selected.bind(this, target));
      else if (this.#accept("[")) {
        const key = this.#expression();
        const close = this.#expect("]", "`]`");
        const before = target;
        target = this.#limitChain(chain, () => ({
          kind: "index",
          target: before,
          key,
          offset: before.offset,
          end: close.end,
        }));
      } else return target;
    }
  }

  #selected(target: Syntax): Syntax {
    const token = this.#peek();
    if (token.kind !== "name")
      throw this.#unexpected("the name of a field", 'a field that is not a plain name is written ["like-this"]');
    this.#at += 1;
    if (this.#peek().text === "(") return this.#call(token, target);
    return {
      kind: "select",
      target,
      field: token.text,
      fieldSpan: spanOf(token),
      offset: target.offset,
      end: token.end,
    };
  }

  #call(name: Token, target: Syntax | undefined): Syntax {
    if (target !== undefined && MACROS.includes(name.text)) return this.#comprehension(name, target);
    this.#at += 1;
    const args = this.#list(")");
    const span = { offset: target?.offset ?? name.offset, end: this.#tokens[this.#at - 1]!.end };
    if (target === undefined && name.text === "has") {
      const [operand, ...rest] = args;
      if (operand === undefined || rest.length > 0 || !["name", "local", "select", "index"].includes(operand.kind)) {
        throw this.#misuse(name, "has() takes one field", "e.g. has(input.address.city)");
      }
      return { kind: "has", operand, ...span };
    }
    if (target === undefined && name.text === "orDefault") {
      const [operand, fallback, ...rest] = args;
      if (operand === undefined || fallback === undefined || rest.length > 0) {
        throw this.#misuse(name, "orDefault() takes a value and its default", "e.g. orDefault(input.limit, 10)");
      }
      return { kind: "fallback", operand, fallback, ...span };
    }
    return {
      kind: "call",
      name: name.text,
      nameSpan: spanOf(name),
      args,
      ...(target === undefined ? {} : { target }),
      ...span,
    };
  }

  #comprehension(name: Token, range: Syntax): Syntax {
    const macro = name.text as ComprehensionMacro;
    this.#expect("(", "`(`");
    const variable = this.#peek();
    if (variable.kind !== "name")
      throw this.#unexpected("the name of a variable", `e.g. input.items.${macro}(item, item.total > 10)`);
    this.#at += 1;
    const slot = this.#locals.length;
    if (slot >= MAX_COMPREHENSION_NESTING) {
      throw new ExpressionError({
        kind: "limit",
        message: `${name.text}() is nested more than ${MAX_COMPREHENSION_NESTING} deep`,
        offset: name.offset,
        length: name.end - name.offset,
        hint: "compute the inner part in a node of its own",
      });
    }
    this.#expect(",", "`,` and what to do with the variable");
    this.#locals.push(variable.text);
    const [first, second, ...rest] = this.#list(")");
    this.#locals.pop();
    if (first === undefined || rest.length > 0 || (second !== undefined && macro !== "map")) {
      throw this.#misuse(
        name,
        `${macro}() takes a variable and an expression`,
        `e.g. input.items.${macro}(item, item.total > 10)`,
      );
    }
    const span = { offset: range.offset, end: this.#tokens[this.#at - 1]!.end };
    if (second === undefined) return { kind: "comprehension", macro, range, slot, body: first, ...span };
    return { kind: "comprehension", macro, range, slot, filter: first, body: second, ...span };
  }

  #primary(): Syntax {
    const token = this.#peek();
    if (token.kind === "literal") {
      this.#at += 1;
      return { kind: "literal", value: token.value, ...spanOf(token) };
    }
    if (token.kind === "name") {
      this.#at += 1;
      if (this.#peek().text === "(") return this.#call(token, undefined);
      const slot = this.#locals.lastIndexOf(token.text);
      if (slot !== -1) return { kind: "local", name: token.text, slot, ...spanOf(token) };
      return {
        kind: "name",
        name: token.text,
        ...(token.nodeId === undefined ? {} : { nodeId: token.nodeId }),
        ...spanOf(token),
      };
    }
    if (this.#accept("(")) {
      const inner = this.#expression();
      const close = this.#expect(")", "`)`");
      return { ...inner, offset: token.offset, end: close.end };
    }
    if (this.#accept("[")) {
      const elements = this.#list("]");
      return { kind: "list", elements, offset: token.offset, end: this.#tokens[this.#at - 1]!.end };
    }
    if (this.#accept("{")) {
      const entries = this.#entries();
      return { kind: "map", entries, offset: token.offset, end: this.#tokens[this.#at - 1]!.end };
    }
    throw this.#unexpected("a value");
  }

  #list(close: string): Syntax[] {
    const items: Syntax[] = [];
    while (!this.#accept(close)) {
      items.push(this.#expression());
      if (this.#accept(",")) continue;
      this.#expect(close, `\`,\` or \`${close}\``);
      break;
    }
    return items;
  }

  #entries(): { key: Syntax; value: Syntax }[] {
    const entries: { key: Syntax; value: Syntax }[] = [];
    while (!this.#accept("}")) {
      const key = this.#expression();
      this.#expect(":", "`:` and the value of the field");
      entries.push({ key, value: this.#expression() });
      if (this.#accept(",")) continue;
      this.#expect("}", "`,` or `}`");
      break;
    }
    return entries;
  }

  /** Chains are read in a loop, yet evaluated recursively. */
  #limitChain(length: number, build: () => Syntax): Syntax {
    if (length > MAX_SYNTAX_DEPTH) throw this.#tooDeep();
    return build();
  }

  #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #accept(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== "symbol" || token.text !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #expect(symbol: string, wanted: string): Token {
    const token = this.#peek();
    if (!this.#accept(symbol)) throw this.#unexpected(wanted);
    return token;
  }

  #unexpected(wanted: string, hint?: string): ExpressionError {
    const token = this.#peek();
    const found = token.kind === "end" ? "the expression ends" : `${JSON.stringify(token.text)} stands`;
    return new ExpressionError({
      kind: "syntax",
      message: `${found} where ${wanted} is expected`,
      offset: token.offset,
      length: Math.max(token.end - token.offset, 1),
      hint,
    });
  }

  #misuse(name: Token, message: string, hint: string): ExpressionError {
    return new ExpressionError({ kind: "syntax", message, offset: name.offset, length: name.end - name.offset, hint });
  }

  #tooDeep(): ExpressionError {
    return new ExpressionError({
      kind: "limit",
      message: "the expression is nested too deeply",
      offset: this.#peek().offset,
      hint: `at most ${MAX_NESTING} brackets inside one another and ${MAX_SYNTAX_DEPTH} operators in a row; use \`set\` actions for parts`,
    });
  }
}

function spanOf(token: Token): Span {
  return { offset: token.offset, end: token.end };
}
