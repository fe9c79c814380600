import { isContainer } from "./container.ts";
import { type FieldCompiler, createFieldCompiler } from "./field.ts";
import { linkExecutionHandlers } from "./execution-handling.ts";
import { linkInteractions } from "./link-interactions.ts";
import { linkAction } from "./nodes/action.ts";
import { linkAggregation } from "./nodes/aggregation.ts";
import { compensationDefinition, compensationTemplate, isCompensable, linkCompensation } from "./nodes/compensation.ts";
import { linkGroup } from "./nodes/group.ts";
import { linkHuman } from "./nodes/human.ts";
import { linkLoop } from "./nodes/loop.ts";
import { linkMap } from "./nodes/map.ts";
import { linkParallel } from "./nodes/parallel.ts";
import { linkStateMachine } from "./nodes/state-machine.ts";
import { linkSubWorkflow } from "./nodes/sub-workflow.ts";
import { linkSwitch } from "./nodes/switch.ts";
import { linkTask } from "./nodes/task.ts";
import { linkRetryRules } from "./retry-rules.ts";
import type { Body, LinkedErrorHandler, LinkedNode, NodeProgram, Plan } from "./plan.ts";
import type { ErrorHandler } from "./error-document.ts";
import type { PlanDocument } from "./plan-document.ts";
import { MAX_ACTIVE_ITEMS } from "./limits.ts";
import type { Dependence, PlanNode } from "./plan-node.ts";
import { planFormatUnknown } from "./refusals.ts";

export interface LinkOptions {
  /** Items of all maps of an execution that run at once; default MAX_ACTIVE_ITEMS. */
  maxActiveItems?: number;
}

/**
 * Looks everything up that executions of the plan will ask for. Takes time in proportion to the plan; keep the result
 * for all executions of a version. The document must not change afterwards.
 *
 * @throws DomainError PLAN_FORMAT_UNKNOWN when the document is of another format than `heddle.plan/1`
 */
export function linkPlan(document: PlanDocument, { maxActiveItems = MAX_ACTIVE_ITEMS }: LinkOptions = {}): Plan {
  const format: string = document.format;
  if (format !== "heddle.plan/1") throw planFormatUnknown(format);
  const indices = new Map(document.nodes.map((node, index) => [node.id, index]));
  const compiler = createFieldCompiler(new Set([...indices.keys(), ...(document.surroundings?.nodeIds ?? [])]));
  const edges = linkEdges(document);
  const nodes = document.nodes.map((node, index) => linkNode(document.nodes, node, index, edges, compiler));
  const prerequisiteCounts = document.nodes.map((node) => node.dependencies.length + node.activators.length);
  const last = nodes.findIndex(({ role }) => role === "finally");
  const bodies = linkBodies(nodes, prerequisiteCounts);
  for (const node of nodes) {
    if (isContainer(node.definition)) node.body = bodies.get(node.index) ?? EMPTY_BODY;
  }
  const body = bodies.get(undefined) ?? EMPTY_BODY;
  const compensations = linkCompensations(nodes, compiler);
  for (const node of compensations) {
    nodes.push(node);
    indices.set(node.id, node.index);
    prerequisiteCounts.push(0);
  }
  return {
    document,
    nodes,
    indices,
    prerequisiteCounts,
    maxActiveItems,
    body: { ...body, inside: [...body.inside, ...compensations.map(({ index }) => index)] },
    ...(last >= 0 && { finally: last }),
    hasCompensation: hasCompensation(document),
    awaitsEvents: nodes.some(
      ({ definition }) =>
        definition.kind === "action" && definition.action === "wait" && definition.event !== undefined,
    ),
    errorHandlers: linkExecutionHandlers(document, compiler),
    ...linkInteractions(document, compiler),
    ...(document.output !== undefined && { output: compiler.template("output", document.output) }),
  };
}

/** Also in the bodies of maps, whose items are to be undone with everything else. */
function hasCompensation({ compensation, nodes, bodies = {} }: PlanDocument): boolean {
  return (
    compensation !== undefined ||
    nodes.some(({ compensate }) => compensate !== undefined) ||
    Object.values(bodies).some(hasCompensation)
  );
}

const EMPTY_BODY: Body = { size: 0, roots: [], leaves: [], inside: [] };

/** By container; undefined: the workflow. */
function linkBodies(nodes: LinkedNode[], prerequisiteCounts: number[]): Map<number | undefined, Body> {
  const bodies = new Map<number | undefined, { size: number; roots: number[]; leaves: number[]; inside: number[] }>();
  const bodyOf = (container: number | undefined) => {
    const body = bodies.get(container) ?? { size: 0, roots: [], leaves: [], inside: [] };
    bodies.set(container, body);
    return body;
  };
  for (const node of nodes) {
    const { index } = node;
    let { container } = node.definition;
    const body = bodyOf(container);
    if (node.role === undefined) {
      body.size++;
      if (prerequisiteCounts[index] === 0) body.roots.push(index);
      if (isLeaf(node)) body.leaves.push(index);
    }
    while (container !== undefined) {
      bodyOf(container).inside.push(index);
      container = (nodes[container] as LinkedNode).definition.container;
    }
    bodyOf(undefined).inside.push(index);
  }
  return bodies;
}

/** What undoes steps comes after the nodes of the definition. */
function linkCompensations(nodes: LinkedNode[], compiler: FieldCompiler): LinkedNode[] {
  const linked: LinkedNode[] = [];
  for (const step of nodes) {
    if (!isCompensable(step.definition)) continue;
    const { compensate } = step.definition;
    const definition = compensationDefinition(step.definition);
    const template = compensate && compensationTemplate(compensate);
    step.compensation = nodes.length + linked.length;
    if (template !== undefined) step.compensationInput = compiler.template("compensate.inputs", template);
    linked.push({
      index: step.compensation,
      id: definition.id,
      definition,
      dependents: [],
      activates: [],
      fallbacks: [],
      fallbackOf: [],
      branchOf: [],
      tolerated: true,
      role: "compensation",
      errorHandlers: [],
      retryRules: linkRetryRules(definition, compiler),
      program: linkCompensation(definition, compensate === undefined),
    });
  }
  return linked;
}

interface Edges {
  dependents: number[][];
  activates: number[][];
  fallbackOf: number[][];
  /** Others go on when it has failed. */
  awaitedFailures: Set<number>;
  /** They run when the execution is to fail. */
  handlers: Set<number>;
}

function linkEdges({ nodes, onError = [] }: PlanDocument): Edges {
  const edges: Edges = {
    dependents: nodes.map(() => []),
    activates: nodes.map(() => []),
    fallbackOf: nodes.map(() => []),
    awaitedFailures: new Set(),
    handlers: new Set(onError.flatMap((handler) => (handler.action === "fallback" ? [handler.target] : []))),
  };
  for (const [index, node] of nodes.entries()) {
    for (const dependency of node.dependencies) edges.dependents[dependency]?.push(index);
    for (const activator of node.activators) {
      const isFallback = fallbacksOf(nodes[activator] as PlanNode).includes(index);
      (isFallback ? edges.fallbackOf[index] : edges.activates[activator])?.push(isFallback ? activator : index);
    }
    if (node.depends) addAwaitedFailures(node.depends, true, edges.awaitedFailures);
  }
  return edges;
}

function fallbacksOf({ onError }: PlanNode): number[] {
  const targets = (onError ?? []).flatMap((handler) => (handler.action === "fallback" ? [handler.target] : []));
  return [...new Set(targets)].sort((a, b) => a - b);
}

/** Nodes whose failure can make the condition true. */
function addAwaitedFailures(condition: Dependence, holds: boolean, to: Set<number>): void {
  if ("not" in condition) return addAwaitedFailures(condition.not, !holds, to);
  if ("node" in condition) {
    const { node, outcome } = condition;
    const isMet = outcome === "failed" || outcome === "settled" || outcome === "all_failed";
    if (isMet === holds) to.add(node);
    return;
  }
  for (const part of "all" in condition ? condition.all : condition.any) addAwaitedFailures(part, holds, to);
}

function linkNode(
  nodes: PlanNode[],
  definition: PlanNode,
  index: number,
  edges: Edges,
  compiler: FieldCompiler,
): LinkedNode {
  const fallbackOf = edges.fallbackOf[index] as number[];
  const parallels = definition.activators.filter(
    (activator) => nodes[activator]?.kind === "parallel" && !fallbackOf.includes(activator),
  );
  const isFinally = definition.kind === "group" && definition.isFinally === true;
  return {
    index,
    id: definition.id,
    definition,
    dependents: edges.dependents[index] as number[],
    activates: edges.activates[index] as number[],
    fallbacks: fallbacksOf(definition),
    fallbackOf,
    branchOf: parallels,
    ...(isFinally && { role: "finally" as const }),
    ...(edges.handlers.has(index) && { role: "handler" as const }),
    tolerated:
      isFinally ||
      fallbackOf.length > 0 ||
      edges.awaitedFailures.has(index) ||
      (parallels.length > 0 && parallels.every((parallel) => bearsFailures(nodes[parallel]))),
    retryRules: linkRetryRules(definition, compiler),
    errorHandlers: (definition.onError ?? []).map((handler, at) => linkErrorHandler(handler, at, compiler)),
    ...(definition.when !== undefined && { when: compiler.expression("when", definition.when) }),
    ...(definition.kind === "action" &&
      definition.action === "wait" &&
      definition.filter !== undefined && {
        eventFilter: compiler.expression("params.filter", definition.filter),
      }),
    program: linkProgram(definition, compiler),
  };
}

export function linkErrorHandler(definition: ErrorHandler, at: number, compiler: FieldCompiler): LinkedErrorHandler {
  const path = `on_error[${at}]`;
  return {
    definition,
    ...(definition.when !== undefined && { when: compiler.expression(`${path}.when`, definition.when) }),
    ...(definition.action === "continue" && { value: compiler.template(`${path}.continue`, definition.value ?? null) }),
  };
}

export function linkProgram(definition: PlanNode, compiler: FieldCompiler): NodeProgram {
  switch (definition.kind) {
    case "task":
      return linkTask(definition, compiler);
    case "action":
      return linkAction(definition, compiler);
    case "switch":
      return linkSwitch(definition, compiler);
    case "parallel":
      return linkParallel(definition);
    case "group":
      return linkGroup(definition, compiler);
    case "loop":
      return linkLoop(definition, compiler);
    case "map":
      return linkMap(definition, compiler);
    case "aggregation":
      return linkAggregation(definition, compiler);
    case "sub_workflow":
      return linkSubWorkflow(definition, compiler);
    case "human":
      return linkHuman(definition, compiler);
    case "state_machine":
      return linkStateMachine(definition, compiler);
  }
}

/** A failed branch is not the end: the parallel needs only some of them, or says itself what becomes of errors. */
function bearsFailures(node: PlanNode | undefined): boolean {
  return node?.kind === "parallel" && (!node.waitAll || node.onError !== undefined);
}

/** A parallel waits for its branches and gives their outputs: it is the leaf, not they. A switch's targets are the leaves, not it. */
function isLeaf(node: LinkedNode): boolean {
  if (node.dependents.length > 0 || node.branchOf.length > 0 || node.fallbackOf.length > 0) return false;
  return node.definition.kind === "parallel" || node.activates.length === 0;
}
