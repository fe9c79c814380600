import type { Rule } from "../architecture/rule.ts";
import type { SourceFile, SourceTree } from "../architecture/source-tree.ts";
import { isNode, literalText, walk, type SyntaxNode } from "../architecture/syntax.ts";
import type { Contract } from "./contract.ts";

/** The code and the contract together: the rule compares them. */
export interface Implementation {
  readonly contract: Contract;
  readonly tree: SourceTree;
}

const PREFIX = "ERROR_REASON_";
/** Errors that are made on the side of the caller, or between a process and its broker: no RPC carries them. */
const LOCAL_ONLY = new Set(["cli", "sdk", "events"]);
/** Packages that a service serves beside its own. */
const SERVES_TOO: Readonly<Record<string, readonly string[]>> = { scheduler: ["worker"] };
const REASON = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

export const reasonsExist: Rule<Implementation> = {
  id: "reasons-exist",
  rule: "every reason that the code gives is a value of ErrorReason: of heddle.common.v1 or of the service",
  why: "clients branch on reasons and know only those of the protos; a misspelt one is never handled",
  remedy: "use a value of the enum, or add one with its status code and meaning to error_reason.proto",
  check({ contract, tree }) {
    const known = reasonsByService(contract);
    return tree.sources.flatMap((file) => {
      const owner = /^(libs|services)\/([^/]+)\/src\//.exec(file.path);
      if (owner === null || file.path.endsWith(".test.ts")) return [];
      const [, kind, name = ""] = owner;
      if (LOCAL_ONLY.has(name)) return [];
      // A library serves several services: what any of them lists may come out of it.
      const allowed =
        kind === "libs"
          ? [...known.values()].flat()
          : ["common", name, ...(SERVES_TOO[name] ?? [])].flatMap((service) => reasonsOf(known, service));
      return givenReasons(file)
        .filter(({ reason }) => !allowed.includes(reason))
        .map(({ reason, line }) => ({ file: file.path, line, what: `gives ${reason}` }));
    });
  },
};

/** `execution` → the names of its reasons, without their prefix. */
function reasonsByService(contract: Contract): Map<string, string[]> {
  return new Map(
    contract.enums
      .filter(({ name }) => name.endsWith(".ErrorReason"))
      .map(({ name, values }) => [
        name.split(".")[1] ?? "",
        values
          .filter(({ number }) => number !== 0)
          .map((value) => value.name.slice(value.name.indexOf(PREFIX) + PREFIX.length)),
      ]),
  );
}

function reasonsOf(known: ReadonlyMap<string, string[]>, service: string): string[] {
  return known.get(service) ?? [];
}

/**
 * Reasons as the code writes them: `reason: "X"` in an object, either side of a condition there, and the values of a table
 * named `...Reason` or `...Reasons`. Reasons of other things (why a node was skipped) are not written in capitals.
 */
function givenReasons(file: SourceFile): { reason: string; line: number }[] {
  const found: { reason: string; line: number }[] = [];
  const take = (node: unknown): void => {
    if (!isNode(node)) return;
    if (node.type === "ConditionalExpression") {
      take(node["consequent"]);
      take(node["alternate"]);
    }
    const reason = literalText(node);
    if (reason !== undefined && REASON.test(reason)) found.push({ reason, line: file.syntax.lineOf(node.start) });
  };
  walk(file.syntax.program, (node) => {
    if (node.type === "Property" && keyOf(node) === "reason") take(node["value"]);
    for (const value of reasonTable(node)) take(value);
  });
  return found;
}

/** The values of `const RpcReason = { overloaded: "OVERLOADED" } as const`. */
function reasonTable(node: SyntaxNode): unknown[] {
  if (node.type !== "VariableDeclarator" || !isNode(node["id"]) || !isNode(node["init"])) return [];
  if (!/Reasons?$/.test(String(node["id"]["name"]))) return [];
  const init = node["init"].type === "TSAsExpression" ? node["init"]["expression"] : node["init"];
  if (!isNode(init) || init.type !== "ObjectExpression") return [];
  return (init["properties"] as SyntaxNode[]).map((property) => property["value"]);
}

function keyOf(property: SyntaxNode): string | undefined {
  const key = property["key"];
  if (!isNode(key)) return undefined;
  return property["computed"] === true ? undefined : (literalText(key) ?? String(key["name"]));
}
