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
  if (!checkId(id, at, "the id of a node", report)) return false;
  if (!RESERVED_NAMES.includes(id)) return true;
  report.add(
    "bad-id",
    at,
    `"${id}" cannot be the id of a node: expressions use the name for something else`,
    `e.g. ${id}-step`,
  );
  return false;
}
