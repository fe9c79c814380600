import { isSameJson } from "./same-json.ts";
import type { Json } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Dependence, PlanNode } from "./plan-node.ts";

/** Whether a node is the same in two versions of a workflow. Other nodes are named by their index, which differs. */
export function isSameDefinition(plan: Plan, node: PlanNode, otherPlan: Plan, other: PlanNode): boolean {
  return node === other || isSameJson(describe(plan, node), describe(otherPlan, other));
}

function describe(plan: Plan, node: PlanNode): Json {
  const idOf = (index: number) => plan.nodes[index]?.id ?? "";
  const idsOf = (indices: readonly number[]) => indices.map(idOf);
  const described: Record<string, unknown> = {
    ...node,
    dependencies: idsOf(node.dependencies).sort(),
    activators: idsOf(node.activators).sort(),
    ...(node.container !== undefined && { container: idOf(node.container) }),
    ...(node.depends !== undefined && { depends: describeCondition(node.depends, idOf) }),
    ...(node.onError !== undefined && {
      onError: node.onError.map((one) => (one.action === "fallback" ? { ...one, target: idOf(one.target) } : one)),
    }),
  };
  switch (node.kind) {
    case "switch":
      described.cases = node.cases.map((one) => ({ ...one, targets: idsOf(one.targets) }));
      described.defaultTargets = idsOf(node.defaultTargets);
      break;
    case "parallel":
      described.branches = idsOf(node.branches);
      break;
    case "group":
    case "loop":
      described.body = idsOf(node.body);
      break;
    case "map":
      // Its items run it, and are kept or not with the map.
      described.itemBody = plan.document.bodies?.[node.id];
      break;
    case "aggregation":
      described.sources = idsOf(node.sources);
      break;
    default:
  }
  // Without what is undefined: one plan may come from JSON, and the other not.
  return JSON.parse(JSON.stringify(described)) as Json;
}

function describeCondition(condition: Dependence, idOf: (index: number) => string): Json {
  if ("node" in condition) return { node: idOf(condition.node), outcome: condition.outcome };
  if ("not" in condition) return { not: describeCondition(condition.not, idOf) };
  const parts = "all" in condition ? condition.all : condition.any;
  return { ["all" in condition ? "all" : "any"]: parts.map((part) => describeCondition(part, idOf)) };
}
