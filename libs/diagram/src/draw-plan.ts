import type { PlanDocument, PlanNode, SwitchCase, SwitchNode } from "@heddle/engine";
import { type Diagram, type DiagramEdge, leaf } from "./diagram.ts";
import { durationText, shorten } from "./words.ts";

/** What a workflow of nodes looks like: an edge for everything that a node waits for. */
export function drawPlan(plan: PlanDocument): Diagram {
  return {
    title: plan.workflowId,
    kind: "dag",
    nodes: plan.nodes.map((node) =>
      leaf(node.id, { notes: notesOf(node), shape: node.kind === "switch" ? "diamond" : "box" }),
    ),
    edges: plan.nodes.flatMap((node) => edgesTo(node, plan.nodes)),
  };
}

function edgesTo(node: PlanNode, nodes: readonly PlanNode[]): DiagramEdge[] {
  const activations = node.activators.flatMap((index) =>
    choicesOf(nodes[index]!, nodes.indexOf(node)).map((label) => ({
      from: nodes[index]!.id,
      to: node.id,
      label,
      isDashed: true,
    })),
  );
  const dependencies = node.dependencies
    .filter((index) => !node.activators.includes(index))
    .map((index) => ({ from: nodes[index]!.id, to: node.id, label: "", isDashed: false }));
  return [...dependencies, ...activations];
}

/** When a switch or a parallel activates the node of this index; the cases of a switch that lead there are one edge. */
function choicesOf(activator: PlanNode, target: number): string[] {
  if (activator.kind !== "switch") return [""];
  const cases = activator.cases.filter(({ targets }) => targets.includes(target)).map((each) => caseText(each));
  const labels = [...cases, ...(activator.defaultTargets.includes(target) ? ["otherwise"] : [])];
  return [labels.join(" or ")];
}

function caseText({ match }: SwitchCase): string {
  return isExpression(match) ? shorten(match.expression) : shorten(match);
}

function isExpression(match: SwitchCase["match"]): match is { expression: string } {
  return typeof match === "object" && match !== null && "expression" in match;
}

function notesOf(node: PlanNode): string[] {
  const notes = [kindText(node)];
  if (node.when !== undefined) notes.push(`when ${shorten(node.when)}`);
  if (node.join === "any" && node.kind !== "aggregation") notes.push("as soon as one of them completed");
  if (node.kind === "task" && node.timeoutMs !== undefined) notes.push(`at most ${durationText(node.timeoutMs)}`);
  if (node.kind === "task" && node.retry.maxAttempts > 1) notes.push(`${node.retry.maxAttempts} attempts`);
  return notes;
}

function kindText(node: PlanNode): string {
  switch (node.kind) {
    case "task":
      return `${node.taskType} ${node.taskName}`;
    case "action":
      return actionText(node);
    case "switch":
      return switchText(node);
    case "parallel":
      return node.waitAll ? "parallel, waits for all" : "parallel, waits for the first";
    case "aggregation":
      return node.strategy;
    case "sub_workflow":
      return `workflow ${node.workflowId}${node.version === undefined ? "" : ` v${node.version}`}`;
    case "state_machine":
      return `machine ${node.workflowId}${node.version === undefined ? "" : ` v${node.version}`}`;
  }
}

function switchText({ condition }: SwitchNode): string {
  return `switch ${shorten(condition)}`;
}

function actionText(node: Extract<PlanNode, { kind: "action" }>): string {
  switch (node.action) {
    case "wait": {
      const { signal, duration, until } = node;
      const time = duration === undefined ? until : typeof duration === "number" ? durationText(duration) : duration;
      return ["wait", signal === undefined ? "" : `for ${signal}`, time === undefined ? "" : shorten(time)]
        .filter((part) => part !== "")
        .join(" ");
    }
    case "emit":
      return `emit ${node.event}`;
    case "set":
      return `set ${Object.keys(node.params).join(", ")}`;
    default:
      return node.action;
  }
}
