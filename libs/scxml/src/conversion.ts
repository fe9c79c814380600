import type { Json } from "@heddle/engine";
import { parseExpression, parseScript } from "./ecmascript/parse.ts";
import { type Assignment, type Expression, UntranslatableError } from "./ecmascript/syntax.ts";
import { constantOf } from "./ecmascript/static-type.ts";
import { type Names, translate, translateCondition, translateLocation } from "./ecmascript/translate.ts";
import type { Problems } from "./problem.ts";
import type { XmlElement, XmlText } from "./read-xml.ts";

/** What every part of the conversion works with. */
export interface Conversion extends Names {
  problems: Problems;
  /** The name of an event after the conversion, in which states may be named. */
  eventName(name: string): string;
  /** The name of a state that the document has: the one it was given, or one that was made for it. */
  nameOf(element: XmlElement): string;
}

/** The attribute, without blanks around it; undefined when it is absent or empty. */
export function attribute(element: XmlElement, name: string): XmlText | undefined {
  const found = element.attributes.get(name);
  return found === undefined || found.value.trim() === "" ? undefined : found;
}

/** Tells every attribute and child that nobody reads: what is left out silently changes what a machine does. */
export function refuseOthers(
  element: XmlElement,
  known: { attributes: readonly string[]; children: readonly string[] },
  { problems }: Conversion,
): void {
  for (const [name, { at }] of element.attributes) {
    if (known.attributes.includes(name) || name.startsWith("xmlns") || name.includes(":")) continue;
    problems.error(at, `"${name}" of <${element.name}> cannot be converted`, listOf(known.attributes, element.name));
  }
  for (const { name, at } of element.children) {
    if (known.children.includes(name)) continue;
    problems.error(
      at,
      `<${name}> inside of <${element.name}> cannot be converted`,
      listOf(known.children, element.name),
    );
  }
}

function listOf(known: readonly string[], name: string): string {
  return known.length === 0 ? `remove it: nothing of <${name}> can` : `of <${name}> can: ${known.join(", ")}`;
}

export function childrenOf(element: XmlElement, ...names: readonly string[]): XmlElement[] {
  return element.children.filter(({ name }) => names.includes(name));
}

/** The value of an expression as a template: itself when it never changes. */
export function templateOf(text: XmlText, conversion: Conversion): Json {
  return attempt(text, null, conversion, () => templateOfExpression(parseExpression(text.value), conversion));
}

function templateOfExpression(expression: Expression, names: Names): Json {
  const constant = constantOf(expression);
  return constant === undefined ? `\${${translate(expression, names)}}` : escapeTemplate(constant);
}

/** `${condition}`. */
export function conditionOf(text: XmlText, conversion: Conversion): string {
  return attempt(
    text,
    "${false}",
    conversion,
    () => `\${${translateCondition(parseExpression(text.value), conversion)}}`,
  );
}

export function locationOf(text: XmlText, conversion: Conversion): string {
  return attempt(text, "invalid", conversion, () => translateLocation(parseExpression(text.value)));
}

export function assignmentsOf(text: XmlText, conversion: Conversion): { location: string; value: Json }[] {
  return attempt(text, [], conversion, () =>
    parseScript(text.value).map(({ target, value }: Assignment) => ({
      location: translateLocation(target),
      value: templateOfExpression(value, conversion),
    })),
  );
}

/** Runs a translation; what cannot be translated is told with its place, and `instead` stands for it. */
function attempt<T>(text: XmlText, instead: T, { problems }: Conversion, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UntranslatableError)) throw error;
    const shown = text.value.trim().replaceAll(/\s+/g, " ").slice(0, 80);
    problems.error(
      text.at + (text.isPlain ? error.at : 0),
      `the expression ${JSON.stringify(shown)}: ${error.message}`,
      error.hint,
    );
    return instead;
  }
}

/** Text that is data, in which nothing is an expression. */
export function escapeText(text: string): string {
  return text.replaceAll("${", "$$${");
}

function escapeTemplate(value: Json): Json {
  if (typeof value === "string") return escapeText(value);
  if (Array.isArray(value)) return value.map(escapeTemplate);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, escapeTemplate(field)]));
}

/** Data that is written into an element: JSON when it is that, else text. */
export function contentOf({ value }: XmlText): Json {
  const text = value.trim();
  try {
    return escapeTemplate(JSON.parse(text) as Json);
  } catch {
    return escapeTemplate(text.replaceAll(/\s+/g, " "));
  }
}
