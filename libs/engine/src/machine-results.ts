import type { Command } from "./commands.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { machineNotAwaited } from "./refusals.ts";
import { completeOrFail, failNode } from "./ends.ts";
import { emit } from "./turn.ts";

type CommandOf<Type extends Command["type"]> = Extract<Command, { type: Type }>;

// What is reported of a node's state machine. It counts while the node waits, and for exactly its machine once that is known.

export function acknowledgeMachine(turn: Turn, { nodeId, machineId }: CommandOf<"acknowledge_machine">): void {
  const node = getWaitingNode(turn, nodeId, machineId);
  if (turn.state.nodes[node.index]?.machineId === undefined) {
    emit(turn, { type: "machine_acknowledged", at: turn.at, nodeId, machineId });
  }
}

/** The end may come before the acknowledgement: the history names the machine all the same. */
export function completeMachine(turn: Turn, { nodeId, machineId, output }: CommandOf<"complete_machine">): void {
  acknowledgeMachine(turn, { type: "acknowledge_machine", nodeId, machineId });
  const node = getWaitingNode(turn, nodeId, machineId);
  completeOrFail(turn, node, output);
}

export function failMachine(turn: Turn, { nodeId, machineId, failure }: CommandOf<"fail_machine">): void {
  if (machineId !== undefined) acknowledgeMachine(turn, { type: "acknowledge_machine", nodeId, machineId });
  failNode(turn, getWaitingNode(turn, nodeId, machineId), failure);
}

/** @throws DomainError MACHINE_NOT_AWAITED */
function getWaitingNode(turn: Turn, nodeId: string, machineId: string | undefined): LinkedNode {
  const index = turn.plan.indices.get(nodeId);
  const linked = index === undefined ? undefined : turn.plan.nodes[index];
  const node = index === undefined ? undefined : turn.state.nodes[index];
  const isAwaited =
    linked?.definition.kind === "state_machine" &&
    node?.status === "waiting" &&
    node.fallback === undefined &&
    (node.machineId === undefined || machineId === undefined || node.machineId === machineId);
  if (!isAwaited) throw machineNotAwaited(nodeId, machineId);
  return linked;
}
