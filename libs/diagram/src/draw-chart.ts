import type {
  ChartAction,
  ChartDocument,
  ChartInvocation,
  ChartState,
  ChartSubscription,
  ChartTransition,
  SendTarget,
} from "@heddle/statechart";
import { type Diagram, type DiagramEdge, type DiagramNode, leaf } from "./diagram.ts";
import { delayText, shorten } from "./words.ts";

/** What a state machine looks like: states inside of states, with markers where they begin. */
export function drawChart(chart: ChartDocument): Diagram {
  const edges: DiagramEdge[] = [];
  const nodes = insideOf(chart, 0, edges);
  return { title: chart.workflowId, kind: "state_machine", nodes, edges };
}

function insideOf(chart: ChartDocument, parent: number, edges: DiagramEdge[]): DiagramNode[] {
  const state = chart.states[parent]!;
  const nodes: DiagramNode[] = [];
  if (state.kind === "compound" && state.initial !== undefined) {
    const marker = leaf(`${state.id}/initial`, { label: "", shape: "initial" });
    nodes.push(marker);
    const label = actionsText(state.initial.actions);
    for (const target of state.initial.targets) edges.push(edge(marker.id, chart.states[target]!.id, label));
  }
  for (const [index, child] of chart.states.entries()) {
    if (index === 0 || child.parent !== parent) continue;
    nodes.push(
      leaf(child.id, {
        notes: notesOf(child),
        shape: shapeOf(child),
        isParallel: child.kind === "parallel",
        children: insideOf(chart, index, edges),
      }),
    );
    edges.push(...edgesFrom(child, chart));
  }
  return nodes;
}

function edge(from: string, to: string, label: string, isDashed = false): DiagramEdge {
  return { from, to, label, isDashed };
}

function shapeOf({ kind, history }: ChartState): DiagramNode["shape"] {
  if (kind === "final") return "final";
  if (kind === "history") return history === "deep" ? "deep_history" : "shallow_history";
  return "box";
}

function edgesFrom(state: ChartState, chart: ChartDocument): DiagramEdge[] {
  const to = (targets: readonly number[], label: string, isDashed = false): DiagramEdge[] =>
    targets.map((target) => edge(state.id, chart.states[target]!.id, label, isDashed));
  const fallback =
    state.kind === "history" && state.initial !== undefined
      ? to(state.initial.targets, actionsText(state.initial.actions), true)
      : [];
  return [...fallback, ...state.transitions.flatMap((transition) => to(transition.targets, labelOf(transition)))];
}

function notesOf(state: ChartState): string[] {
  const onEnter = actionsText(state.onEnter.flat());
  const onExit = actionsText(state.onExit.flat());
  const staying = state.transitions.filter(({ targets }) => targets.length === 0);
  return [
    ...(onEnter === "" ? [] : [`enter ${onEnter}`]),
    ...(onExit === "" ? [] : [`exit ${onExit}`]),
    ...state.invocations.map(invocationText),
    ...(state.subscriptions ?? []).map(subscriptionText),
    ...staying.map(labelOf),
  ];
}

function invocationText({ id, kind, name, version }: ChartInvocation): string {
  return `invoke ${id}: ${kind} ${name}${version === undefined ? "" : ` v${version}`}`;
}

function subscriptionText({ workflowId, statuses, event }: ChartSubscription): string {
  return `hear of ${workflowId} ${statuses.join(", ")}${event === undefined ? "" : ` as ${event}`}`;
}

/** As UML writes it: `event [guard] / actions`. */
function labelOf({ events, guard, actions, delay, internal }: ChartTransition): string {
  const cause =
    delay === undefined ? events.join(", ") || (guard === undefined ? "always" : "") : `after ${delayText(delay)}`;
  const parts = [
    cause,
    guard === undefined ? "" : `[${shorten(guard)}]`,
    internal ? "(internal)" : "",
    actionsText(actions),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function actionsText(actions: readonly ChartAction[]): string {
  return actions.length === 0 ? "" : `/ ${actions.map(actionText).join("; ")}`;
}

function actionText(action: ChartAction): string {
  switch (action.action) {
    case "raise":
      return `raise ${action.event}`;
    case "send": {
      const to = targetText(action.target);
      const delay = action.delay === undefined ? "" : ` after ${delayText(action.delay)}`;
      return `send ${shorten(action.event)}${to === "" ? "" : ` to ${to}`}${delay}`;
    }
    case "cancel":
      return `cancel ${shorten(action.sendId)}`;
    case "assign":
      return `assign ${action.values.map(({ location }) => location).join(", ")}`;
    case "log":
      return `log ${shorten(action.message)}`;
    case "if":
      return `if ${shorten(action.branches[0]?.condition ?? "")}`;
    case "foreach":
      return `for each of ${shorten(action.items)}`;
  }
}

function targetText(target: SendTarget): string {
  switch (target.kind) {
    case "self":
      return "";
    case "internal":
    case "parent":
      return target.kind;
    case "invocation":
      return shorten(target.invokeId);
    case "machine":
      return `machine ${shorten(target.machineId ?? target.workflowId ?? "")}`;
    case "execution":
      return `execution ${shorten(target.executionId)}`;
  }
}
