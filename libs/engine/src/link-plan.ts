import { type FieldCompiler, createFieldCompiler } from "./field.ts";
import { linkAction } from "./nodes/action.ts";
import { linkAggregation } from "./nodes/aggregation.ts";
import { linkParallel } from "./nodes/parallel.ts";
import { linkStateMachine } from "./nodes/state-machine.ts";
import { linkSubWorkflow } from "./nodes/sub-workflow.ts";
import { linkSwitch } from "./nodes/switch.ts";
import { linkTask } from "./nodes/task.ts";
import type { LinkedNode, NodeProgram, Plan } from "./plan.ts";
import type { PlanDocument, PlanNode } from "./plan-document.ts";
import { planFormatUnknown } from "./refusals.ts";

/**
 * Looks everything up that executions of the plan will ask for. Takes time in proportion to the plan; keep the result
 * for all executions of a version. The document must not change afterwards.
 *
 * @throws DomainError PLAN_FORMAT_UNKNOWN when the document is of another format than `heddle.plan/1`
 */
export function linkPlan(document: PlanDocument): Plan {
  const format: string = document.format;
  if (format !== "heddle.plan/1") throw planFormatUnknown(format);
  const indices = new Map(document.nodes.map((node, index) => [node.id, index]));
  const compiler = createFieldCompiler(new Set(indices.keys()));
  const edges = linkEdges(document.nodes);
  const nodes = document.nodes.map((node, index) => linkNode(document.nodes, node, index, edges, compiler));
  const prerequisiteCounts = document.nodes.map((node) => node.dependencies.length + node.activators.length);
  return {
    document,
    nodes,
    indices,
    prerequisiteCounts,
    roots: nodes.filter((node) => prerequisiteCounts[node.index] === 0).map((node) => node.index),
    leaves: nodes.filter(isLeaf).map((node) => node.index),
    ...(document.output !== undefined && { output: compiler.template("output", document.output) }),
  };
}

interface Edges {
  dependents: number[][];
  activates: number[][];
}

function linkEdges(nodes: PlanNode[]): Edges {
  const edges: Edges = { dependents: nodes.map(() => []), activates: nodes.map(() => []) };
  for (const [index, node] of nodes.entries()) {
    for (const dependency of node.dependencies) edges.dependents[dependency]?.push(index);
    for (const activator of node.activators) edges.activates[activator]?.push(index);
  }
  return edges;
}

function linkNode(
  nodes: PlanNode[],
  definition: PlanNode,
  index: number,
  edges: Edges,
  compiler: FieldCompiler,
): LinkedNode {
  const parallels = definition.activators.filter((activator) => nodes[activator]?.kind === "parallel");
  return {
    index,
    id: definition.id,
    definition,
    dependents: edges.dependents[index] as number[],
    activates: edges.activates[index] as number[],
    branchOf: parallels,
    tolerated: parallels.length > 0 && parallels.every((parallel) => isRace(nodes[parallel])),
    ...(definition.when !== undefined && { when: compiler.expression("when", definition.when) }),
    program: linkProgram(definition, compiler),
  };
}

function linkProgram(definition: PlanNode, compiler: FieldCompiler): NodeProgram {
  switch (definition.kind) {
    case "task":
      return linkTask(definition, compiler);
    case "action":
      return linkAction(definition, compiler);
    case "switch":
      return linkSwitch(definition, compiler);
    case "parallel":
      return linkParallel(definition);
    case "aggregation":
      return linkAggregation(definition, compiler);
    case "sub_workflow":
      return linkSubWorkflow(definition, compiler);
    case "state_machine":
      return linkStateMachine(definition, compiler);
  }
}

function isRace(node: PlanNode | undefined): boolean {
  return node?.kind === "parallel" && !node.waitAll;
}

/** A parallel waits for its branches and gives their outputs: it is the leaf, not they. A switch's targets are the leaves, not it. */
function isLeaf(node: LinkedNode): boolean {
  if (node.dependents.length > 0 || node.branchOf.length > 0) return false;
  return node.definition.kind === "parallel" || node.activates.length === 0;
}
