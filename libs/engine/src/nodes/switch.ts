import type { Scope } from "@heddle/expression";
import type { Field, FieldCompiler } from "../field.ts";
import { isObject } from "../json-object.ts";
import type { Json } from "../json.ts";
import type { LinkedNode, NodeProgram } from "../plan.ts";
import { isSameJson } from "../same-json.ts";
import type { SwitchCase, SwitchNode } from "../plan-node.ts";
import { evaluateField, requireBoolean, scopeOf } from "../evaluate.ts";
import { completeNode } from "../ends.ts";

interface LinkedCase {
  matches(value: Json, scope: Scope): boolean;
  targets: number[];
}

/** Activates the targets of the first case that matches. Its output is the value that was compared. */
export function linkSwitch(definition: SwitchNode, compiler: FieldCompiler): NodeProgram {
  const condition = compiler.expression("condition", definition.condition);
  const cases = definition.cases.map((one, index) => linkCase(one, `branches[${index}].case`, compiler));
  return {
    begin(turn, node) {
      const scope = scopeOf(turn, node);
      const value = evaluateField(condition, scope);
      const targets = cases.find((one) => one.matches(value, scope))?.targets ?? definition.defaultTargets;
      const chosen = targets.map((target) => (turn.plan.nodes[target] as LinkedNode).id);
      completeNode(turn, node, value, chosen);
    },
  };
}

function linkCase(definition: SwitchCase, path: string, compiler: FieldCompiler): LinkedCase {
  const { match, targets } = definition;
  if (isExpression(match)) {
    const field = compiler.expression(path, match.expression);
    return { matches: (_value, scope) => isTrue(field, scope), targets };
  }
  return { matches: (value) => isSame(value, match), targets };
}

function isExpression(match: SwitchCase["match"]): match is { expression: string } {
  return isObject(match) && typeof match.expression === "string" && Object.keys(match).length === 1;
}

function isTrue(field: Field, scope: Scope): boolean {
  const value = evaluateField(field, scope);
  return value === null ? false : requireBoolean(value, field.path, "the case");
}

/** `case: 3` and `case: "3"` are the same to their author, whichever of both the data holds. */
function isSame(value: Json, literal: Json): boolean {
  if (typeof value === "object" || typeof literal === "object") return isSameJson(value, literal);
  return String(value) === String(literal);
}
