import { MAX_ID_LENGTH } from "./limits.ts";
import type { Report } from "./report.ts";
import type { Span } from "./source/source-node.ts";

const ID = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Names that mean something else in expressions. A node that is called so could not be read. */
const RESERVED_NAMES: readonly string[] = [
  "input",
  "current",
  "nodes",
  "vars",
  "execution",
  "has",
  "orDefault",
  "true",
  "false",
  "null",
  "in",
];
/** What loops and maps bring along beside their items. */
const NAMES_BESIDE_ITEMS: readonly string[] = ["index", "loop"];

/** Reports an id that has a bad form. @returns whether it is good. */
export function checkId(id: string, at: Span, what: string, report: Report): boolean {
  if (id.length > MAX_ID_LENGTH) {
    report.add("bad-id", at, `${what} has ${id.length} characters`, `at most ${MAX_ID_LENGTH}`);
    return false;
  }
  if (ID.test(id)) return true;
  report.add(
    "bad-id",
    at,
    `${JSON.stringify(id)} cannot be ${what}`,
    "a letter or _, then letters, digits, - and _, e.g. fetch-order",
  );
  return false;
}

/** The id of a node must also be free for expressions. */
export function checkNodeId(id: string, at: Span, report: Report): boolean {
  return (
    checkId(id, at, "the id of a node", report) &&
    checkFree(id, at, RESERVED_NAMES, "the id of a node", "-step", report)
  );
}

/** By which expressions know an item. */
export function checkItemName(name: string, at: Span, report: Report): boolean {
  const what = "the name of an item";
  const taken = [...RESERVED_NAMES, ...NAMES_BESIDE_ITEMS];
  if (!checkId(name, at, what, report) || !checkFree(name, at, taken, what, "_item", report)) return false;
  // An expression could not tell a name with a dash from a subtraction.
  if (!name.includes("-")) return true;
  const message = `"${name}" cannot be the name of an item: a dash is a minus in expressions`;
  report.add("bad-id", at, message, "use _ instead");
  return false;
}

function checkFree(
  id: string,
  at: Span,
  taken: readonly string[],
  what: string,
  suffix: string,
  report: Report,
): boolean {
  if (!taken.includes(id)) return true;
  const message = `"${id}" cannot be ${what}: expressions use the name for something else`;
  report.add("bad-id", at, message, `e.g. ${id}${suffix}`);
  return false;
}
