import { calledName, constantOf, isIn, isName, type Type, typeOfExpression } from "./static-type.ts";
import { type Expression, UntranslatableError } from "./syntax.ts";

/** What expressions of the document may name. */
export interface Names {
  /** Variables that the document declares or sets, and what they hold at first as far as it can be seen. */
  variables: ReadonlyMap<string, Type>;
  /** How a state is called after the conversion. */
  stateName(id: string): string;
}

/** How tightly what was written binds; as `BINARY` of the parser, with `? :` below and everything closed above. */
const CONDITIONAL = 0;
const COALESCE = 0.5;
const POWERS: Readonly<Record<string, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  ">": 3,
  "<=": 3,
  ">=": 3,
};
const UNARY = 7;
const CLOSED = 8;

interface Text {
  text: string;
  power: number;
}

const METHODS: ReadonlyMap<string, string> = new Map<string, string>([
  ["includes", "contains"],
  ["startsWith", "startsWith"],
  ["endsWith", "endsWith"],
  ["toLowerCase", "lower"],
  ["toUpperCase", "upper"],
  ["trim", "trim"],
  ["toString", "string"],
  ["split", "split"],
  ["join", "join"],
  ["indexOf", "indexOf"],
  ["substring", "substring"],
]);
const CONVERSIONS: ReadonlyMap<string, string> = new Map<string, string>([
  ["String", "string"],
  ["Number", "double"],
]);
const EVENT_MEMBERS: ReadonlyMap<string, string> = new Map<string, string>([
  ["name", "name"],
  ["data", "data"],
  ["type", "type"],
  ["sendid", "send_id"],
  ["invokeid", "invoke_id"],
]);
/** Words of the expression language that cannot be fields by their bare name. */
const TAKEN = new Set(
  "context event machine In has orDefault in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** The expression in the expression language of definitions. @throws UntranslatableError */
export function translate(expression: Expression, names: Names): string {
  return createTranslator(names).write(expression).text;
}

/** An expression that is taken as true or false: ECMAScript takes everything as one of them. @throws UntranslatableError */
export function translateCondition(expression: Expression, names: Names): string {
  return createTranslator(names).condition(expression).text;
}

/** The path of a field of the context: `order.total`. @throws UntranslatableError */
export function translateLocation(expression: Expression): string {
  if (expression.kind === "name") {
    checkVariable(expression.name, expression.at);
    return expression.name;
  }
  if (expression.kind === "member") return `${translateLocation(expression.object)}.${expression.property}`;
  throw new UntranslatableError("only fields by their names can be assigned to", {
    at: expression.at,
    hint: "e.g. order.total; assign a whole list anew: list + [item]",
  });
}

function checkVariable(name: string, at: number): void {
  if (!TAKEN.has(name) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  throw new UntranslatableError(`a field of the context cannot be called "${name}"`, {
    at,
    hint: "rename it in the document: letters, digits and _, and none of the words of expressions",
  });
}

function createTranslator(names: Names) {
  const typeOf = (expression: Expression): Type => typeOfExpression(expression, names.variables);

  function condition(expression: Expression): Text {
    if (expression.kind === "unary" && expression.operator === "!") {
      return { text: `!${within(condition(expression.operand), UNARY)}`, power: UNARY };
    }
    if (expression.kind === "binary" && (expression.operator === "&&" || expression.operator === "||")) {
      return joined(expression.operator, condition(expression.left), condition(expression.right));
    }
    const written = write(expression);
    switch (typeOf(expression)) {
      case "number":
        return joined("!=", written, { text: "0", power: CLOSED });
      case "text":
        return joined("!=", written, { text: '""', power: CLOSED });
      case "list":
      case "object":
        return joined("!=", written, { text: "null", power: CLOSED });
      default:
        return written;
    }
  }

  function write(expression: Expression): Text {
    switch (expression.kind) {
      case "literal":
        return closed(JSON.stringify(expression.value));
      case "name":
        return closed(variable(expression.name, expression.at));
      case "member":
        return closed(member(expression));
      case "index":
        return closed(`${within(write(expression.object), CLOSED)}[${write(expression.index).text}]`);
      case "list":
        return closed(`[${expression.items.map((item) => write(item).text).join(", ")}]`);
      case "object":
        return closed(
          `{${expression.fields.map(({ name, value }) => `${JSON.stringify(name)}: ${write(value).text}`).join(", ")}}`,
        );
      case "unary":
        return unary(expression);
      case "binary":
        return binary(expression);
      case "conditional": {
        const { yes, no } = expression;
        const parts = [within(condition(expression.condition), 1), within(write(yes), 1), write(no).text];
        return { text: `${parts[0]} ? ${parts[1]} : ${parts[2]}`, power: CONDITIONAL };
      }
      case "call":
        return closed(call(expression));
    }
  }

  function variable(name: string, at: number): string {
    if (name === "_event") return "event";
    if (name === "_sessionid") return "machine.id";
    if (name === "_name") return "machine.workflow_id";
    if (name.startsWith("_") && !names.variables.has(name)) {
      throw new UntranslatableError(`there is no ${name}`, { at, hint: "_event, _sessionid and _name can be read" });
    }
    if (!names.variables.has(name)) {
      throw new UntranslatableError(`nothing is called "${name}"`, { at, hint: `declare it: <data id="${name}"/>` });
    }
    checkVariable(name, at);
    return name;
  }

  function member({ object, property, at }: Extract<Expression, { kind: "member" }>): string {
    if (isName(object, "_event")) {
      const name = EVENT_MEMBERS.get(property);
      if (name !== undefined) return `event.${name}`;
      throw new UntranslatableError(`an event has no ${property}`, {
        at,
        hint: "_event.name, data, type, sendid and invokeid can be read; let the sender put the rest into the data",
      });
    }
    const of = within(write(object), CLOSED);
    return property === "length" ? `size(${write(object).text})` : `${of}.${property}`;
  }

  function unary({ operator, operand, at }: Extract<Expression, { kind: "unary" }>): Text {
    if (operator === "!") return { text: `!${within(condition(operand), UNARY)}`, power: UNARY };
    if (operator === "-") return { text: `-${within(write(operand), UNARY)}`, power: UNARY };
    if (operator === "+") return closed(`double(${write(operand).text})`);
    throw new UntranslatableError('"typeof" can only be compared with "undefined"', { at, hint: "compare the value" });
  }

  function binary(expression: Extract<Expression, { kind: "binary" }>): Text {
    const { left, right } = expression;
    const operator = expression.operator.replace(/^([=!])==$/, "$1=");
    const absence = absenceTested(operator, left, right);
    if (absence !== undefined) {
      return joined(operator, { text: `${within(write(absence), 1)} ?? null`, power: COALESCE }, closed("null"));
    }
    if (operator === "&&" || operator === "||") {
      for (const side of [left, right]) refuseAsBoolean(operator, side);
      return joined(operator, write(left), write(right));
    }
    if (operator === "??") {
      return { text: `${within(write(left), 1)} ?? ${within(write(right), 1)}`, power: COALESCE };
    }
    // Whole numbers are divided as whole numbers there.
    if (operator === "/") return joined("/", asDouble(left), asDouble(right));
    if (operator === "+" && typeOf(expression) === "text") return joined("+", asText(left), asText(right));
    return joined(operator, write(left), write(right));
  }

  function refuseAsBoolean(operator: string, side: Expression): void {
    const type = typeOf(side);
    if (type === "boolean" || type === "unknown") return;
    throw new UntranslatableError(`${operator} has a ${type} on a side, which is neither true nor false`, {
      at: side.at,
      hint: 'compare it (x != 0 && ...), or say what stands for a missing value: x ?? "none"',
    });
  }

  function asDouble(expression: Expression): Text {
    const value = constantOf(expression);
    return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 1e15
      ? { text: `${value}.0`, power: value < 0 ? UNARY : CLOSED }
      : write(expression);
  }

  function asText(expression: Expression): Text {
    return typeOf(expression) === "text" ? write(expression) : closed(`string(${write(expression).text})`);
  }

  function call(expression: Extract<Expression, { kind: "call" }>): string {
    const { callee, at } = expression;
    if (isIn(expression)) {
      const [state] = expression.arguments;
      if (state?.kind === "literal" && typeof state.value === "string") {
        return `In(${JSON.stringify(names.stateName(state.value))})`;
      }
      throw new UntranslatableError("In() needs the name of a state, written out", { at, hint: "e.g. In('open')" });
    }
    const name = calledName(callee);
    const written = (): string => expression.arguments.map((argument) => write(argument).text).join(", ");
    const method = callee.kind === "member" ? METHODS.get(name) : undefined;
    if (callee.kind === "member" && method !== undefined) {
      return `${within(write(callee.object), CLOSED)}.${method}(${written()})`;
    }
    const conversion = callee.kind === "name" && expression.arguments.length === 1 ? CONVERSIONS.get(name) : undefined;
    if (conversion !== undefined) return `${conversion}(${written()})`;
    throw new UntranslatableError(`${name || "this function"}() cannot be converted`, {
      at: callee.at,
      hint: `In(), String(), Number() and the methods ${[...METHODS.keys()].join(", ")} can; let a tool compute the rest`,
    });
  }

  return { write, condition };
}

/** What is compared with undefined or null, directly or by `typeof`. */
function absenceTested(operator: string, left: Expression, right: Expression): Expression | undefined {
  if (operator !== "==" && operator !== "!=") return undefined;
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (other.kind !== "literal") continue;
    if (one.kind === "unary" && one.operator === "typeof" && other.value === "undefined") return one.operand;
    if (other.value === null && one.kind !== "literal") return one;
  }
  return undefined;
}

function closed(text: string): Text {
  return { text, power: CLOSED };
}

function within({ text, power }: Text, min: number): string {
  return power < min ? `(${text})` : text;
}

/** Operators of one kind group to the left, and comparisons are not joined without brackets. */
function joined(operator: string, left: Text, right: Text): Text {
  const power = POWERS[operator] ?? (operator === "+" || operator === "-" ? 5 : 6);
  const isComparison = power === 3;
  return { text: `${within(left, isComparison ? 4 : power)} ${operator} ${within(right, power + 1)}`, power };
}
