import { NodeFault, coreFailure } from "../failure.ts";
import { collectOutputs } from "../output.ts";
import type { Failure } from "../events.ts";
import type { NodeProgram, Turn } from "../plan.ts";
import type { ParallelNode } from "../plan-node.ts";
import type { NodeState } from "../state.ts";
import { completeNode, failNode } from "../ends.ts";
import { stopNodes } from "../stops.ts";
import { emit } from "../turn.ts";

/**
 * Activates all its branches and waits for all of them, or for the first that completes. Its output is an object of the
 * completed branches' outputs, by id. `evolve` puts it back into the queue when its branches are decided.
 */
export function linkParallel(definition: ParallelNode): NodeProgram {
  return {
    begin: (turn, node) => emit(turn, { type: "wait_started", at: turn.at, nodeId: node.id }),
    join(turn, node) {
      const { branches, waitAll, need = 1, cancelRest } = definition;
      if (waitAll) {
        const failed = definition.onError === undefined ? undefined : findFailed(turn, branches);
        if (failed === undefined) return completeNode(turn, node, collectOutputs(turn, branches));
        stopNodes(turn, branches);
        return failNode(turn, node, failed);
      }
      const { chosen = [] } = turn.state.nodes[node.index] as NodeState;
      if (cancelRest || chosen.length < need) stopNodes(turn, branches);
      if (chosen.length >= need) return completeNode(turn, node, collectOutputs(turn, chosen));
      throw new NodeFault(
        coreFailure(
          "no_branch_completed",
          need === 1
            ? "every branch has failed or was skipped, and one must complete"
            : `${chosen.length} of ${branches.length} branches have completed and ${need} must, which the others cannot make up for`,
        ),
      );
    },
  };
}

/** The failure of the first branch that has failed. */
function findFailed({ state }: Turn, branches: readonly number[]): Failure | undefined {
  const failed = branches.find((branch) => state.nodes[branch]?.status === "failed");
  return failed === undefined ? undefined : state.nodes[failed]?.failure;
}
