import type { CaseDraft, NodeBody, NodeRef } from "../draft.ts";
import { createFields } from "../fields.ts";
import { MAX_CASES } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap, SourceNode } from "../source/source-node.ts";
import { isText, readCondition, readNodeRefs } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

export function readParallel(reader: NodeReader): NodeBody {
  const { fields } = reader;
  const branchesAt =
    fields.require("branches", "the ids of the nodes that run side by side, e.g. branches: [a, b]") ?? fields.map;
  const branches = readNodeRefs(fields, "branches", { allowSingle: false });
  if (branchesAt.kind === "list" && branchesAt.items.length === 0) {
    fields.report.add(
      "no-branches",
      branchesAt,
      `${fields.what} has no branches`,
      "name the nodes that run side by side",
    );
  }
  const need = readNeed(reader, branches.length);
  const cancelRest = fields.boolean("cancel_rest");
  const needsAll = fields.boolean("wait_all") ?? (need === undefined && cancelRest !== true);
  for (const name of ["need", "cancel_rest"]) {
    const at = fields.find(name);
    if (at === undefined || !needsAll) continue;
    const message = `"${name}" of ${fields.what} says what happens before all branches are over, and "wait_all" is true`;
    fields.report.add("conflicting-fields", at, message, "remove one of them");
  }
  return {
    kind: "parallel",
    branches,
    waitAll: needsAll,
    branchesAt,
    ...(need === undefined ? {} : { need }),
    ...(cancelRest === undefined ? {} : { cancelRest }),
  };
}

/** How many branches must complete. */
function readNeed({ fields }: NodeReader, branches: number): number | undefined {
  return fields.integer("need", { min: 1, max: Math.max(1, branches) });
}

export function readSwitch(reader: NodeReader): NodeBody {
  const { fields } = reader;
  const conditionAt = fields.require("condition", 'what is compared with the cases, e.g. condition: "${input.tier}"');
  const condition =
    conditionAt === undefined ? undefined : readCondition(reader, conditionAt, `"condition" of ${fields.what}`);
  const branchesAt =
    fields.require("branches", "e.g. branches: [{ case: gold, target: a }, { default: b }]") ?? fields.map;
  const list = fields.list("branches");
  const cases: CaseDraft[] = [];
  const defaults: { at: SourceMap; targets: NodeRef[] }[] = [];
  for (const item of list?.items ?? []) readBranch(reader, item, cases, defaults);
  const [first, second] = defaults;
  if (second !== undefined) {
    fields.report.add(
      "duplicate-case",
      second.at,
      `${fields.what} has two defaults`,
      `remove one; the first is on line ${fields.report.lineOf(first!.at.start)}`,
    );
  }
  if (list !== undefined) checkBranches(reader, list, cases, first !== undefined);
  return {
    kind: "switch",
    cases,
    defaultTargets: first?.targets ?? [],
    branchesAt,
    ...(condition === undefined ? {} : { condition }),
  };
}

function checkBranches(
  { fields }: NodeReader,
  list: SourceNode & { kind: "list" },
  cases: CaseDraft[],
  hasDefault: boolean,
): void {
  if (list.items.length === 0)
    fields.report.add(
      "no-branches",
      list,
      `${fields.what} has no branches`,
      "e.g. branches: [{ case: gold, target: a }, { default: b }]",
    );
  else if (!hasDefault) {
    fields.report.add(
      "missing-default",
      list,
      `${fields.what} has no default`,
      "add { default: some-node }, or leave it when other values should skip all branches",
    );
  }
  if (cases.length > MAX_CASES)
    fields.report.add("out-of-range", list, `${fields.what} has ${cases.length} cases`, `at most ${MAX_CASES}`);
  const seen = new Map<string, CaseDraft>();
  for (const branch of cases) {
    const key =
      branch.match.kind === "expression" ? `\${${branch.match.condition.source.trim()}}` : String(branch.match.value);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, branch);
    else
      fields.report.add(
        "duplicate-case",
        branch.at,
        `the case ${key} of ${fields.what} is there twice`,
        `the one on line ${fields.report.lineOf(first.at.start)} always wins: remove one`,
      );
  }
}

function readBranch(
  reader: NodeReader,
  item: SourceNode,
  cases: CaseDraft[],
  defaults: { at: SourceMap; targets: NodeRef[] }[],
): void {
  const { report, what } = reader.fields;
  if (item.kind !== "map") {
    report.add(
      "wrong-type",
      item,
      `a branch of ${what} is ${describeSource(item)} where an object is expected`,
      "e.g. { case: gold, target: a } or { default: b }",
    );
    return;
  }
  const fields = createFields(
    item,
    `a branch of ${what}`,
    item.entries.has("default") ? ["default"] : ["case", "target"],
    report,
  );
  if (item.entries.has("default")) {
    fields.require("default", "the id of the node that runs when no case matches");
    defaults.push({ at: item, targets: readNodeRefs(fields, "default", { allowSingle: true }) });
    return;
  }
  const entry = item.entries.get("case");
  if (entry === undefined) fields.require("case", "the value that leads to the target");
  fields.require("target", "the id of the node that runs, or a list of ids");
  const targets = readNodeRefs(fields, "target", { allowSingle: true });
  const match = entry === undefined ? undefined : readMatch(reader, entry.value);
  if (match !== undefined && entry !== undefined) cases.push({ match, at: entry.value, targets });
}

function readMatch(reader: NodeReader, at: SourceNode): CaseDraft["match"] | undefined {
  const { report, what } = reader.fields;
  if (at.kind !== "scalar") {
    report.add(
      "wrong-type",
      at,
      `a case of ${what} is ${describeSource(at)} where a value is expected`,
      "a text, number, true, false, or an expression that gives true",
    );
    return undefined;
  }
  if (!isText(at) || !at.value.includes("${")) return { kind: "literal", value: at.value };
  const condition = readCondition(reader, at, `a case of ${what}`);
  return condition === undefined ? undefined : { kind: "expression", condition };
}
