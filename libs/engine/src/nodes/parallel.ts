import { NodeFault, coreFailure } from "../failure.ts";
import { collectOutputs } from "../output.ts";
import type { NodeProgram } from "../plan.ts";
import type { ParallelNode } from "../plan-document.ts";
import type { NodeState } from "../state.ts";
import { completeNode, emit } from "../turn.ts";

/**
 * Activates all its branches and waits for all of them, or for the first that completes. Its output is an object of the
 * completed branches' outputs, by id. `evolve` puts it back into the queue when its branches are decided.
 */
export function linkParallel(definition: ParallelNode): NodeProgram {
  return {
    begin: (turn, node) => emit(turn, { type: "wait_started", at: turn.at, nodeId: node.id }),
    join(turn, node) {
      if (definition.waitAll) return completeNode(turn, node, collectOutputs(turn, definition.branches));
      const { chosen } = turn.state.nodes[node.index] as NodeState;
      if (chosen) return completeNode(turn, node, collectOutputs(turn, chosen));
      throw new NodeFault(
        coreFailure("no_branch_completed", "every branch has failed or was skipped, and one must complete"),
      );
    },
  };
}
