import { compileExpression } from "@heddle/expression";
import type { Json } from "@heddle/engine";
import type { CaseDraft, Condition, NodeDraft, NodeRef } from "../draft.ts";

/** A branch of a switch: its position among the cases; the default is one past the last. */
export type Branch = number;

/** By node that a switch targets: the branches that lead to it. `impossible` ones can never be chosen. */
export interface Choices {
  byTarget: Map<number, Set<Branch>>;
  impossible: Set<Branch>;
}

export function listChoices(node: NodeDraft, indices: ReadonlyMap<string, number>): Choices {
  const choices: Choices = { byTarget: new Map(), impossible: new Set() };
  if (node.body.kind !== "switch") return choices;
  const { cases, defaultTargets, condition } = node.body;
  const add = (branch: Branch, refs: NodeRef[]): void => {
    for (const { id } of refs) {
      const target = indices.get(id);
      if (target === undefined) continue;
      const branches = choices.byTarget.get(target) ?? new Set();
      choices.byTarget.set(target, branches.add(branch));
    }
  };
  for (const [branch, { targets }] of cases.entries()) add(branch, targets);
  add(cases.length, defaultTargets);
  const value = condition === undefined ? undefined : constantValue(condition);
  let decided = false;
  for (const [branch, branchCase] of cases.entries()) {
    const matches = matchConstant(branchCase, value);
    if (decided || matches === false) choices.impossible.add(branch);
    if (matches === true) decided = true;
  }
  if (decided) choices.impossible.add(cases.length);
  return choices;
}

/** undefined: it depends on what happens. */
function matchConstant({ match }: CaseDraft, value: Json | undefined): boolean | undefined {
  if (match.kind === "expression") {
    const constant = constantValue(match.condition);
    return constant === undefined ? undefined : constant === true;
  }
  if (value === undefined) return undefined;
  return value === match.value || (isText(value) && isText(match.value) && String(value) === String(match.value));
}

/** Numbers and booleans are compared by their text. */
function isText(value: Json): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** What a condition gives when it reads nothing; undefined when it reads something or fails. */
export function constantValue(condition: Condition): Json | undefined {
  if (condition.constant !== undefined) return condition.constant;
  try {
    const expression = compileExpression(condition.source);
    return expression.references.length === 0 ? expression.evaluate({ get: () => undefined }) : undefined;
  } catch {
    // Reported where expressions are checked.
    return undefined;
  }
}
