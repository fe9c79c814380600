import type {
  Compensation,
  Dependence,
  ErrorHandler,
  ErrorMatch,
  PlanDocument,
  PlanNode,
  PlanNodeBase,
  Surroundings,
  WorkflowErrorHandler,
} from "@heddle/engine";
import type { ChartPlan } from "./chart/build-chart.ts";
import { dependsRefs } from "./draft.ts";
import type {
  CaseDraft,
  CompensationDraft,
  DependsDraft,
  HandlerDraft,
  ItemPlace,
  NodeDraft,
  NodeRef,
  StartsDraft,
  WorkflowDraft,
  WorkflowHandlerDraft,
} from "./draft.ts";
import { capturesOf, itemNames } from "./expressions/outward.ts";
import type { Outward } from "./expressions/found-reference.ts";
import type { HandlerMatch } from "./nodes/on-error.ts";
import type { Graph } from "./graph/graph.ts";
import { planInteractions } from "./interactions/plan-interactions.ts";
import { joinOf } from "./graph/reachability.ts";
import type { PlanStarts } from "./starts/starts.ts";

/** What the engine runs, and beside it when it is to be run. */
export type DagPlan = PlanDocument & PlanStarts;

/** What a definition becomes; `type` tells them apart. */
export type DefinitionPlan = DagPlan | (ChartPlan & PlanStarts);

/** What is needed to plan the body of a map: the same, and what it reads around the map. */
export interface ItemBody {
  workflow: WorkflowDraft;
  graph: Graph;
  outward: readonly Outward[];
  /** By node. */
  bodies: ReadonlyMap<number, ItemBody>;
}

/** The plan of a definition without errors. `bodies`: those of its maps, by node. */
export function buildPlan(workflow: WorkflowDraft, graph: Graph, bodies: ReadonlyMap<number, ItemBody>): DagPlan {
  const { id, name, description, labels, inputSchema, output, agents, timeoutMs, retentionMs, priority, starts } =
    workflow;
  return {
    format: "heddle.plan/1",
    workflowId: id,
    type: "dag",
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    nodes: workflow.nodes.map((node) => planNode(node, graph, bodies.get(node.index))),
    ...(bodies.size === 0 ? {} : { bodies: planBodies(workflow, bodies) }),
    ...(output === undefined ? {} : { output }),
    ...(agents.size === 0 ? {} : { agents: Object.fromEntries(agents) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(priority === undefined ? {} : { priority }),
    ...(workflow.compensation === undefined ? {} : { compensation: workflow.compensation }),
    ...(workflow.cleanupTimeoutMs === undefined ? {} : { cleanupTimeoutMs: workflow.cleanupTimeoutMs }),
    ...(workflow.onError === undefined
      ? {}
      : { onError: workflow.onError.map((handler) => planWorkflowHandler(handler, graph)) }),
    ...planInteractions(workflow.interactions, graph),
    ...planStarts(starts),
  };
}

function planBodies({ nodes }: WorkflowDraft, bodies: ReadonlyMap<number, ItemBody>): Record<string, PlanDocument> {
  return Object.fromEntries(
    [...bodies].map(([index, { workflow, graph, outward, bodies: inner }]) => [
      nodes[index]!.id,
      { ...buildPlan(workflow, graph, inner), surroundings: surroundingsOf(workflow.item!, outward) },
    ]),
  );
}

/** Where the expressions of a body find what they read around the map. */
function surroundingsOf(item: ItemPlace, outward: readonly Outward[]): Surroundings {
  // `input` and `vars` are there in every scope, and know themselves where to look.
  const certain = outward.filter(({ name, isField }) => !isField && name !== "input" && name !== "vars");
  const namesOf = (found: readonly Outward[]): string[] => found.map(({ name }) => name);
  return {
    itemName: item.itemName,
    names: [...new Set([...itemNames(item.itemName), ...namesOf(certain)])],
    nodeIds: [...new Set(namesOf(certain.filter(({ isNode }) => isNode)))],
  };
}

function planStarts({ schedules, triggers }: StartsDraft): PlanStarts {
  return {
    ...(schedules.length === 0 ? {} : { schedules: schedules.map(({ at: _at, inputAt: _inputAt, ...plan }) => plan) }),
    ...(triggers.length === 0
      ? {}
      : {
          triggers: triggers.map(({ at: _at, inputAt: _inputAt, workflowAt: _workflowAt, filter, ...plan }) => ({
            ...plan,
            ...(filter === undefined ? {} : { filter: filter.source }),
          })),
        }),
  };
}

function planNode(node: NodeDraft, graph: Graph, itemBody?: ItemBody): PlanNode {
  const base: PlanNodeBase = {
    id: node.id,
    ...(node.name === undefined ? {} : { name: node.name }),
    dependencies: sortedIndices(graph.dependencies[node.index]!.map(({ from }) => from)),
    activators: sortedIndices(graph.activators[node.index]!.map(({ from }) => from)),
    ...(node.container === undefined ? {} : { container: node.container }),
    join: joinOf(node),
    ...(node.depends === undefined ? {} : { depends: planDepends(node, node.depends, graph) }),
    ...(node.onError === undefined ? {} : { onError: node.onError.map((handler) => planHandler(handler, graph)) }),
    ...(node.when === undefined ? {} : { when: node.when.source }),
    ...(node.compensate === undefined ? {} : { compensate: planCompensation(node.compensate) }),
  };
  const { body } = node;
  const indicesOf = (refs: NodeRef[]): number[] => refs.map((ref) => graph.indices.get(ref.id)!);
  switch (body.kind) {
    case "task": {
      const { nameAt: _nameAt, inputsAt: _inputsAt, ...task } = body;
      return { ...base, ...task };
    }
    case "action":
      return { ...base, ...body };
    case "switch":
      return {
        ...base,
        kind: "switch",
        condition: body.condition!.source,
        cases: body.cases.map((branch) => ({ match: matchOf(branch), targets: indicesOf(branch.targets) })),
        defaultTargets: indicesOf(body.defaultTargets),
      };
    case "parallel":
      return {
        ...base,
        kind: "parallel",
        branches: indicesOf(body.branches),
        waitAll: body.waitAll,
        ...(body.need === undefined ? {} : { need: body.need }),
        ...(body.cancelRest === undefined ? {} : { cancelRest: body.cancelRest }),
      };
    case "group":
    case "human":
      return { ...base, ...body };
    case "loop": {
      const { while: before, until, ...loop } = body;
      return {
        ...base,
        ...loop,
        ...(before === undefined ? {} : { while: before.source }),
        ...(until === undefined ? {} : { until: until.source }),
      };
    }
    case "map": {
      const { workflowAt: _workflowAt, itemBody: _itemBody, until, ...map } = body;
      return {
        ...base,
        ...map,
        ...(until === undefined ? {} : { until: until.source }),
        ...(itemBody && { workflowId: itemBody.workflow.id, captures: capturesOf(itemBody.outward) }),
      };
    }
    case "aggregation": {
      const { strategy, inputs } = body;
      // Only what is declared: a node that merely appears in an expression (`when`) is no source.
      const sources =
        inputs === undefined ? indicesOf(node.dependencies).filter((index) => base.dependencies.includes(index)) : [];
      return { ...base, kind: "aggregation", strategy, sources, ...(inputs === undefined ? {} : { inputs }) };
    }
    case "sub_workflow": {
      const { workflowAt: _workflowAt, ...subWorkflow } = body;
      return { ...base, ...subWorkflow };
    }
    case "state_machine": {
      const { workflowAt: _workflowAt, ...machine } = body;
      return { ...base, ...machine };
    }
    case "unknown":
      throw new Error(`the node "${node.id}" has no known type, which must have been reported as an error`);
  }
}

/** Readers let through what can undo something. */
function planCompensation({ body }: CompensationDraft): Compensation {
  switch (body.kind) {
    case "task": {
      const { nameAt: _nameAt, inputsAt: _inputsAt, ...task } = body;
      return task;
    }
    case "sub_workflow": {
      const { workflowAt: _workflowAt, ...subWorkflow } = body;
      return subWorkflow;
    }
    case "action":
      if (body.action === "set" || body.action === "log" || body.action === "emit") return body;
      break;
    default:
  }
  throw new Error(`a ${body.kind} cannot undo a node, which must have been reported as an error`);
}

/** What expressions read must be settled as well, though the condition does not name it. */
function planDepends(node: NodeDraft, condition: DependsDraft, graph: Graph): Dependence {
  const named = new Set(dependsRefs(condition).map(({ id }) => graph.indices.get(id)));
  const read = graph.dependencies[node.index]!.map(({ from }) => from).filter((from) => !named.has(from));
  const planned = planCondition(condition, graph);
  if (read.length === 0) return planned;
  return { all: [planned, ...read.map((from): Dependence => ({ node: from, outcome: "settled" }))] };
}

function planCondition(condition: DependsDraft, graph: Graph): Dependence {
  if ("ref" in condition) return { node: graph.indices.get(condition.ref.id)!, outcome: condition.outcome };
  if ("not" in condition) return { not: planCondition(condition.not, graph) };
  const plan = (parts: DependsDraft[]): Dependence[] => parts.map((part) => planCondition(part, graph));
  return "all" in condition ? { all: plan(condition.all) } : { any: plan(condition.any) };
}

function planMatch({ types, class: wanted, when }: HandlerMatch): ErrorMatch {
  return {
    ...(types === undefined ? {} : { types }),
    ...(wanted === undefined ? {} : { class: wanted }),
    ...(when === undefined ? {} : { when: when.source }),
  };
}

function planWorkflowHandler(handler: WorkflowHandlerDraft, graph: Graph): WorkflowErrorHandler {
  if (handler.action !== "fail") return planGoingOn(handler, graph);
  const { failure } = handler;
  return { ...planMatch(handler), action: "fail", ...(failure === undefined ? {} : { failure }) };
}

function planHandler(handler: HandlerDraft, graph: Graph): ErrorHandler {
  const { action } = handler;
  if (action === "continue" || action === "fallback") return planGoingOn(handler, graph);
  return { ...planMatch(handler), action };
}

type GoingOn = Extract<HandlerDraft | WorkflowHandlerDraft, { action: "continue" | "fallback" }>;

/** With a value, or by another node: said in the same way of a node and of the workflow. */
function planGoingOn(handler: GoingOn, graph: Graph) {
  const matching = planMatch(handler);
  if (handler.action === "continue") return { ...matching, action: handler.action, value: handler.value };
  return { ...matching, action: handler.action, target: graph.indices.get(handler.target.id)! };
}

function matchOf({ match }: CaseDraft) {
  return match.kind === "literal" ? match.value : { expression: match.condition.source };
}

function sortedIndices(indices: number[]): number[] {
  return [...new Set(indices)].sort((left, right) => left - right);
}
