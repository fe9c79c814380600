import type { PlanDocument, PlanNode, PlanNodeBase } from "@heddle/engine";
import type { ChartPlan } from "./chart/build-chart.ts";
import type { CaseDraft, NodeDraft, NodeRef, StartsDraft, WorkflowDraft } from "./draft.ts";
import type { Graph } from "./graph/graph.ts";
import { joinOf } from "./graph/reachability.ts";
import type { PlanStarts } from "./starts/starts.ts";

/** What the engine runs, and beside it when it is to be run. */
export type DagPlan = PlanDocument & PlanStarts;

/** What a definition becomes; `type` tells them apart. */
export type DefinitionPlan = DagPlan | (ChartPlan & PlanStarts);

/** The plan of a definition without errors. */
export function buildPlan(workflow: WorkflowDraft, graph: Graph): DagPlan {
  const { id, name, description, labels, inputSchema, output, agents, timeoutMs, priority, starts } = workflow;
  return {
    format: "heddle.plan/1",
    workflowId: id,
    type: "dag",
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    nodes: workflow.nodes.map((node) => planNode(node, graph)),
    ...(output === undefined ? {} : { output }),
    ...(agents.size === 0 ? {} : { agents: Object.fromEntries(agents) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(priority === undefined ? {} : { priority }),
    ...planStarts(starts),
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

function planNode(node: NodeDraft, graph: Graph): PlanNode {
  const base: PlanNodeBase = {
    id: node.id,
    ...(node.name === undefined ? {} : { name: node.name }),
    dependencies: sortedIndices(graph.dependencies[node.index]!.map(({ from }) => from)),
    activators: sortedIndices(graph.activators[node.index]!.map(({ from }) => from)),
    join: joinOf(node),
    ...(node.when === undefined ? {} : { when: node.when.source }),
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
      return { ...base, kind: "parallel", branches: indicesOf(body.branches), waitAll: body.waitAll };
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

function matchOf({ match }: CaseDraft) {
  return match.kind === "literal" ? match.value : { expression: match.condition.source };
}

function sortedIndices(indices: number[]): number[] {
  return [...new Set(indices)].sort((left, right) => left - right);
}
