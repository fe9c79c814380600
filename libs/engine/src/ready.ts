import { evaluateDependence } from "./depends.ts";
import type { SkipReason } from "./events.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { evaluateField, scopeOf, requireBoolean } from "./evaluate.ts";
import { emit } from "./turn.ts";

/** Everything that the node depends on is settled: it begins, or is skipped. */
export function beginNode(turn: Turn, node: LinkedNode): void {
  const skipReason = findSkipReason(turn, node);
  if (skipReason === undefined) {
    node.program.begin(turn, node);
  } else {
    emit(turn, { type: "node_skipped", at: turn.at, nodeId: node.id, reason: skipReason });
  }
}

function findSkipReason(turn: Turn, node: LinkedNode): SkipReason | undefined {
  const { activators, dependencies, depends, join } = node.definition;
  const state = turn.state.nodes[node.index] as NodeState;
  if (activators.length > 0 && state.activatedBy === undefined) return "not_chosen";
  if (depends !== undefined) {
    if (evaluateDependence(turn.state, depends) !== true) return "depends";
    return node.when && !holds(turn, node) ? "condition" : undefined;
  }
  const isCompleted = (index: number) => (turn.state.nodes[index] as NodeState).status === "completed";
  // A tolerated failure counts like a skip: there is no output to go on with.
  if (dependencies.length > 0 && !(join === "all" ? dependencies.every(isCompleted) : dependencies.some(isCompleted))) {
    return "dependency_skipped";
  }
  return node.when && !holds(turn, node) ? "condition" : undefined;
}

/** null is what a skipped node's output gives: no. Anything else than a boolean is a slip in the definition. */
function holds(turn: Turn, node: LinkedNode): boolean {
  if (!node.when) return true;
  const value = evaluateField(node.when, scopeOf(turn, node));
  return value === null ? false : requireBoolean(value, "when");
}
