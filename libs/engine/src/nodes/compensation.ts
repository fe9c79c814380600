import type { CompensationRecord } from "../events.ts";
import { NodeFault } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { isObject } from "../json-object.ts";
import type { Json } from "../json.ts";
import { runName } from "../obligations.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { Compensation, MapNode, PlanNode, SubWorkflowNode } from "../plan-node.ts";
import type { EndingState } from "../execution-state.ts";
import type { NodeState } from "../state.ts";
import { emit } from "../turn.ts";
import { linkAction } from "./action.ts";
import { linkSubWorkflow } from "./sub-workflow.ts";
import { linkTask } from "./task.ts";

/** The node that undoes another one is called after it. No node of a definition can be called so. */
function compensationId(stepId: string): string {
  return `${stepId}.compensate`;
}

/** A step that something of the definition undoes, or one whose child undoes itself. */
export function isCompensable(step: PlanNode): boolean {
  return step.compensate !== undefined || step.kind === "sub_workflow" || step.kind === "map";
}

/** The node that undoes a step, as if it stood in the definition. */
export function compensationDefinition(step: PlanNode): PlanNode {
  const base = { id: compensationId(step.id), dependencies: [], activators: [], join: "all" as const };
  if (step.compensate !== undefined) return { ...base, ...step.compensate };
  const { workflowId } = step as SubWorkflowNode | MapNode;
  return { ...base, kind: "sub_workflow", workflowId };
}

/** The part of a compensation that is evaluated when its step completes; undefined: the step's output is the input. */
export function compensationTemplate(compensate: Compensation): Json | undefined {
  if (compensate.kind !== "action") return compensate.inputs;
  switch (compensate.action) {
    case "set":
      return { params: compensate.params };
    case "log":
      return { message: compensate.message };
    case "emit":
      return { payload: compensate.payload ?? null, ...(compensate.key !== undefined && { key: compensate.key }) };
  }
}

/** Does with the recorded input what a node of its kind does with an evaluated one. */
export function linkCompensation(definition: PlanNode, isOwn: boolean): NodeProgram {
  if (isOwn) return { begin: (turn, node) => beginOwn(turn, node, definition as SubWorkflowNode) };
  const program = (input: Json) => linkWith(definition, input);
  return {
    begin(turn, node) {
      const { input, failure } = currentOf(turn);
      if (failure !== undefined) throw new NodeFault(failure);
      program(input ?? null).begin(turn, node);
    },
    fire: (turn, node) => program(null).fire?.(turn, node),
  };
}

function linkWith(definition: PlanNode, input: Json): NodeProgram {
  switch (definition.kind) {
    case "task":
      return linkTask({ ...definition, inputs: input }, EVALUATED);
    case "sub_workflow":
      return linkSubWorkflow({ ...definition, inputs: input }, EVALUATED);
    case "action":
      return linkAction({ ...definition, ...(isObject(input) ? input : {}) }, EVALUATED);
    default:
      throw new Error(`a ${definition.kind} cannot undo a step`);
  }
}

/** The values are there already. */
const EVALUATED: FieldCompiler = {
  template: (path, value) => ({ path, evaluate: () => value, findFault: () => undefined }),
  expression: (path, source) => ({ path, evaluate: () => source, findFault: () => undefined }),
};

/** The child has ended: another execution of its version undoes its steps, of which that one has kept what is needed. */
function beginOwn(turn: Turn, node: LinkedNode, { workflowId }: SubWorkflowNode): void {
  const { childId } = currentOf(turn);
  emit(turn, {
    type: "child_started",
    at: turn.at,
    nodeId: node.id,
    childId: turn.context.childId(runName(node.id, turn.state.nodes[node.index] as NodeState)),
    workflowId,
    input: {},
    ...(childId !== undefined && { compensates: childId }),
  });
}

function currentOf({ state }: Turn): CompensationRecord {
  return (state.ending as EndingState).current as CompensationRecord;
}
