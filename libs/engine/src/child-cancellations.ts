import { closePolicyOf, leavesChildren } from "./close-policy.ts";
import { listStopped } from "./ending-state.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";

// Which children must be told to end, and how.

export interface ChildCancellation {
  nodeId: string;
  childId: string;
  /** At once: nothing of it runs any more. */
  terminate?: true;
  /** The parent undoes nothing before it knows that the child has ended: it must be told. */
  isAwaited?: true;
}

/** Adds to a list of cancellations those that one state asks for. */
export interface Cancellations {
  /** Tells a child to end; one that goes on whatever becomes of its parent is told nothing. */
  add(linked: LinkedNode, nodeId: string, childId: string): void;
  /** All whose end the parent must know, also those that were told before, or that never left the turn. */
  addAwaited(): void;
  /** Those that were told before to end in order. */
  addTerminated(): void;
}

export function createCancellations(to: ChildCancellation[], plan: Plan, state: ExecutionState): Cancellations {
  const { awaited = {} } = state.ending ?? {};
  // Looked up once, and only when somebody must know: there may be thousands of both.
  let completed: Set<string | undefined> | undefined;
  const hadCompleted = (childId: string): boolean =>
    (completed ??= new Set(state.compensations?.map((record) => record.childId))).has(childId);

  const describe = ({ definition }: LinkedNode, nodeId: string, childId: string): ChildCancellation => {
    const atOnce = closePolicyOf(definition) === "terminate" || (state.isTerminated && !hadCompleted(childId));
    return {
      nodeId,
      childId,
      ...(atOnce && { terminate: true }),
      ...(awaited[childId] !== undefined && { isAwaited: true }),
    };
  };
  /** Those of `children`, by child with its node, that the list does not have yet. */
  const untold = (children: Record<string, string>): [childId: string, nodeId: string][] => {
    const told = new Set(to.map(({ childId }) => childId));
    return Object.entries(children).filter(([childId]) => !told.has(childId));
  };

  return {
    add(linked, nodeId, childId) {
      if (!leavesChildren(linked)) to.push(describe(linked, nodeId, childId));
    },
    addAwaited() {
      for (const [childId, nodeId] of untold(awaited)) {
        to.push(describe(plan.nodes[plan.indices.get(nodeId) as number] as LinkedNode, nodeId, childId));
      }
    },
    addTerminated() {
      for (const [childId, nodeId] of untold(listStopped(plan, state))) to.push({ nodeId, childId, terminate: true });
    },
  };
}
