import { attribute, type Conversion } from "./conversion.ts";
import { STATES } from "./convert-states.ts";
import { parseExpression, parseScript } from "./ecmascript/parse.ts";
import { type Expression, UntranslatableError } from "./ecmascript/syntax.ts";
import { type Type, typeOfExpression } from "./ecmascript/static-type.ts";
import type { Problems } from "./problem.ts";
import type { XmlElement, XmlText } from "./read-xml.ts";

/** Looks through the whole document for its states and variables, which may be named before they appear. */
export function survey(root: XmlElement, problems: Problems): Conversion {
  const names = nameStates(root, problems);
  const variables = findVariables(root);
  const byId = new Map<string, string>();
  for (const [element, name] of names) {
    const id = attribute(element, "id");
    if (id !== undefined) byId.set(id.value.trim(), name);
  }
  const stateName = (id: string): string => byId.get(id) ?? id;
  return {
    problems,
    variables,
    stateName,
    nameOf: (element) => names.get(element) ?? element.name,
    eventName(name) {
      const state = /^done\.state\.(.+)$/.exec(name)?.[1];
      return state === undefined ? name : `done.state.${stateName(state)}`;
    },
  };
}

/** A name for each state: its id as far as names may be so, a made one where it has none. */
function nameStates(root: XmlElement, problems: Problems): Map<XmlElement, string> {
  const names = new Map<XmlElement, string>();
  const taken = new Set<string>();
  const states = allElements(root).filter(({ name }) => STATES.some((state) => state === name));
  for (const element of states) {
    const id = attribute(element, "id");
    if (id === undefined) continue;
    const wanted = id.value.trim();
    const name = free(wanted.replaceAll(/[^A-Za-z0-9_-]/g, "_").replace(/^(?![A-Za-z_])/, "_"), taken);
    names.set(element, name);
    if (name !== wanted) {
      problems.warn(
        id.at,
        `the state "${wanted}" is called "${name}" afterwards`,
        "names of states hold letters, digits, _ and -",
      );
    }
  }
  for (const element of states) if (!names.has(element)) names.set(element, free(`${element.name}-1`, taken));
  return names;
}

function free(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${wanted.replace(/-\d+$/, "")}-${count}`;
  taken.add(name);
  return name;
}

/** Every variable of the document, with the type of what it holds if that is always the same as far as can be seen. */
function findVariables(root: XmlElement): Map<string, Type> {
  const elements = allElements(root);
  const declared = new Map<string, Type>();
  const note = (types: Map<string, Type>, name: string, type: Type): void => {
    const known = types.get(name);
    types.set(name, known === undefined || known === type ? type : "unknown");
  };
  for (const element of elements) {
    const nameIn = (which: string): string | undefined => rootOf(attribute(element, which))?.name;
    const declares: [name: string | undefined, type: Type][] = [];
    if (element.name === "data") declares.push([nameIn("id"), typeOf(attribute(element, "expr"), declared)]);
    if (element.name === "foreach") declares.push([nameIn("item"), "unknown"], [nameIn("index"), "number"]);
    if (element.name === "send") declares.push([nameIn("idlocation"), "text"]);
    for (const [name, type] of declares) if (name !== undefined) note(declared, name, type);
  }
  const variables = new Map(declared);
  for (const element of elements) for (const [name, type] of assignedBy(element, declared)) note(variables, name, type);
  return variables;
}

/** What an element sets. A field inside of a variable does not change what the variable is. */
function assignedBy(element: XmlElement, declared: ReadonlyMap<string, Type>): [name: string, type: Type][] {
  if (element.name === "assign") {
    const target = rootOf(attribute(element, "location"));
    if (target === undefined) return [];
    const type = target.isWhole
      ? typeOf(attribute(element, "expr"), declared)
      : (declared.get(target.name) ?? "object");
    return [[target.name, type]];
  }
  if (element.name !== "script") return [];
  return (quietly(() => parseScript(element.text.value)) ?? []).flatMap(({ target, value }): [string, Type][] => {
    const whole = rootName(target);
    if (whole === undefined) return [];
    return [[whole.name, whole.isWhole ? typeOfExpression(value, declared) : (declared.get(whole.name) ?? "object")]];
  });
}

function typeOf(expr: XmlText | undefined, variables: ReadonlyMap<string, Type>): Type {
  if (expr === undefined) return "unknown";
  return quietly(() => typeOfExpression(parseExpression(expr.value), variables)) ?? "unknown";
}

function rootOf(text: XmlText | undefined): { name: string; isWhole: boolean } | undefined {
  return text === undefined ? undefined : quietly(() => rootName(parseExpression(text.value)));
}

function rootName(expression: Expression): { name: string; isWhole: boolean } | undefined {
  if (expression.kind === "name") return { name: expression.name, isWhole: true };
  if (expression.kind !== "member" && expression.kind !== "index") return undefined;
  const inner = rootName(expression.object);
  return inner === undefined ? undefined : { ...inner, isWhole: false };
}

/** What is wrong is told where it is converted. */
function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof UntranslatableError) return undefined;
    throw error;
  }
}

function allElements(element: XmlElement): XmlElement[] {
  return [element, ...element.children.flatMap(allElements)];
}
