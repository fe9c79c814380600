import type {
  Dependence,
  HumanNode,
  LoopNode,
  ParallelNode,
  PlanDocument,
  PlanNode,
  SwitchCase,
  SwitchNode,
} from "@heddle/engine";
import { type Diagram, type DiagramEdge, type DiagramNode, leaf } from "./diagram.ts";
import { durationText, shorten } from "./words.ts";

/** What a workflow of nodes looks like: an edge for everything that a node waits for. */
export function drawPlan(plan: PlanDocument): Diagram {
  return {
    title: plan.workflowId,
    kind: "dag",
    ...drawNodes(plan, ""),
  };
}

/** `prefix`: what ids begin with inside the body of a map, whose ids may be those of another such body. */
function drawNodes(plan: PlanDocument, prefix: string): Pick<Diagram, "nodes" | "edges"> {
  const drawn = plan.nodes.flatMap(({ id }) => {
    const body = plan.bodies?.[id];
    return body === undefined ? [] : [[id, drawNodes(body, `${prefix}${id}.`)] as const];
  });
  const bodies = new Map(drawn);
  return {
    nodes: plan.nodes.flatMap((node, index) =>
      node.container === undefined ? [drawApart(node, index, plan, { nodes: plan.nodes, bodies, prefix })] : [],
    ),
    edges: [
      ...plan.nodes
        .flatMap((node) => edgesTo(node, plan.nodes))
        .map((edge) => ({ ...edge, from: prefix + edge.from, to: prefix + edge.to })),
      ...drawn.flatMap(([, { edges }]) => edges),
    ],
  };
}

interface DrawnPlan {
  nodes: readonly PlanNode[];
  /** Of maps, by their ids. */
  bodies: ReadonlyMap<string, Pick<Diagram, "nodes">>;
  prefix: string;
}

/** What runs in the place of the whole has no edges. */
function drawApart(node: PlanNode, index: number, { onError = [] }: PlanDocument, plan: DrawnPlan): DiagramNode {
  const drawn = draw(node, plan);
  const isRescuer = onError.some((handler) => handler.action === "fallback" && handler.target === index);
  return isRescuer ? { ...drawn, notes: [...drawn.notes, "when the workflow is to fail"] } : drawn;
}

function draw(node: PlanNode, plan: DrawnPlan): DiagramNode {
  const { nodes, bodies, prefix } = plan;
  const body = node.kind === "group" || node.kind === "loop" ? node.body : [];
  return leaf(prefix + node.id, {
    label: node.id,
    notes: notesOf(node, nodes),
    shape: node.kind === "switch" ? "diamond" : "box",
    children: bodies.get(node.id)?.nodes ?? body.map((index) => draw(nodes[index]!, plan)),
  });
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
  if (isFallback(activator, target)) return ["on error"];
  if (activator.kind !== "switch") return [""];
  const cases = activator.cases.filter(({ targets }) => targets.includes(target)).map((each) => caseText(each));
  const labels = [...cases, ...(activator.defaultTargets.includes(target) ? ["otherwise"] : [])];
  return [labels.join(" or ")];
}

function isFallback({ onError = [] }: PlanNode, target: number): boolean {
  return onError.some((handler) => handler.action === "fallback" && handler.target === target);
}

function caseText({ match }: SwitchCase): string {
  return isExpression(match) ? shorten(match.expression) : shorten(match);
}

function isExpression(match: SwitchCase["match"]): match is { expression: string } {
  return typeof match === "object" && match !== null && "expression" in match;
}

function notesOf(node: PlanNode, nodes: readonly PlanNode[]): string[] {
  const notes = node.kind === "loop" ? loopNotes(node) : [kindText(node)];
  if (node.kind === "map") notes.push(`${node.maxConcurrency} at once`);
  if (node.depends !== undefined) notes.push(`once ${shorten(dependsText(node.depends, nodes))}`);
  for (const handler of node.onError ?? []) {
    if (handler.action !== "fallback" && handler.action !== "fail") notes.push(`on error: ${handler.action}`);
  }
  if (node.when !== undefined) notes.push(`when ${shorten(node.when)}`);
  if (node.join === "any" && node.kind !== "aggregation" && node.depends === undefined)
    notes.push("as soon as one of them completed");
  if ("timeoutMs" in node && node.timeoutMs !== undefined) notes.push(`at most ${durationText(node.timeoutMs)}`);
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
      return parallelText(node);
    case "group":
      return "group";
    case "loop":
      return "loop";
    case "map":
      if (node.captures !== undefined) return "map";
      return `map of workflow ${node.workflowId}${node.version === undefined ? "" : ` v${node.version}`}`;
    case "aggregation":
      return node.strategy;
    case "sub_workflow":
      return `workflow ${node.workflowId}${node.version === undefined ? "" : ` v${node.version}`}`;
    case "human":
      return humanText(node);
    case "state_machine":
      return `machine ${node.workflowId}${node.version === undefined ? "" : ` v${node.version}`}`;
  }
}

function humanText({ assignee, groups, quorum }: HumanNode): string {
  const who = assignee ?? groups;
  const asked =
    who === undefined
      ? "anybody"
      : [who]
          .flat()
          .map((one) => shorten(one))
          .join(", ");
  return `human, asks ${asked}${quorum === undefined ? "" : `, ${quorum.need} of ${quorum.of}`}`;
}

function parallelText({ waitAll, need = 1, cancelRest }: ParallelNode): string {
  if (waitAll) return "parallel, waits for all";
  const wanted = need === 1 ? "the first" : `${need}`;
  return `parallel, waits for ${wanted}${cancelRest === true ? " and stops the rest" : ""}`;
}

function loopNotes({ forEach, while: before, until, maxTurns }: LoopNode): string[] {
  const what = [
    ...(forEach === undefined ? [] : [`for each of ${shorten(forEach)}`]),
    ...(before === undefined ? [] : [`while ${shorten(before)}`]),
    ...(until === undefined ? [] : [`until ${shorten(until)}`]),
  ];
  return [["loop", ...what].join(" "), `at most ${maxTurns} turns`];
}

function dependsText(condition: Dependence, nodes: readonly PlanNode[]): string {
  if ("node" in condition) return `${nodes[condition.node]!.id}.${condition.outcome}`;
  if ("not" in condition) return `!${inParentheses(condition.not, nodes)}`;
  const [parts, sign] = "all" in condition ? [condition.all, " && "] : [condition.any, " || "];
  return parts.map((part) => inParentheses(part, nodes)).join(sign);
}

function inParentheses(condition: Dependence, nodes: readonly PlanNode[]): string {
  const text = dependsText(condition, nodes);
  return "node" in condition || "not" in condition ? text : `(${text})`;
}

function switchText({ condition }: SwitchNode): string {
  return `switch ${shorten(condition)}`;
}

function actionText(node: Extract<PlanNode, { kind: "action" }>): string {
  switch (node.action) {
    case "wait": {
      const { signal, event, key, duration, until } = node;
      const awaited = signal ?? event;
      const time = duration === undefined ? until : typeof duration === "number" ? durationText(duration) : duration;
      return [
        "wait",
        awaited === undefined ? "" : `for ${awaited}`,
        key === undefined ? "" : `(${shorten(typeof key === "string" ? key : JSON.stringify(key))})`,
        time === undefined ? "" : shorten(time),
      ]
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
