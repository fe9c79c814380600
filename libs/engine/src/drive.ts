import { type ExecutionState, countActive, isFinished } from "./execution-state.ts";
import type { Failure } from "./events.ts";
import { NodeFault, coreFailure } from "./failure.ts";
import type { Json } from "./json.ts";
import { MAX_EVENTS_PER_TURN, MAX_EXECUTION_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES_PER_TURN } from "./limits.ts";
import { completeExecution } from "./output.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { beginNode } from "./ready.ts";
import { peekReady } from "./settle.ts";
import type { NodeState } from "./state.ts";
import { peekTimer, peekTimerNode } from "./timers.ts";
import { answerUpdates } from "./updates.ts";
import { completeNode, describeNodeFault, failExecution, failNode } from "./turn.ts";

/** Events that one step may give apart from those that stop the active nodes: two of the node, and the end of both. */
const EVENTS_PER_STEP = 4;

/**
 * Goes on with everything that needs no help from outside: the end of turns of all commands. A loop over the queue of
 * ready nodes, so that the length of a chain costs no stack.
 *
 * A turn that is full stops between two nodes. What is left is still in the state's queue, and `nextTimerAt` gives a
 * time that is past while it is: the runtime's next `fire_timers` goes on, after its neighbours had theirs.
 */
export function drive(turn: Turn): void {
  const { state } = turn;
  if (isFinished(state)) return;
  if (state.deadlineAt !== undefined && state.deadlineAt <= turn.context.now) return failByDeadline(turn);
  answerUpdates(turn);
  if (state.status === "suspended") return;
  const payloadBytesBefore = state.payloadBytes;
  for (let steps = 0; state.status === "running"; steps++) {
    if (state.payloadBytes > MAX_EXECUTION_PAYLOAD_BYTES) return failBySize(turn);
    // At least one step per turn, so that even a plan that is wider than a turn moves on.
    if (steps > 0 && isFull(turn, payloadBytesBefore)) return;
    const node = nextNode(turn);
    if (!node) return finishIfSettled(turn);
    const eventsBefore = turn.events.length;
    step(turn, node);
    // A defect must stop this execution, not the process: a loop without progress would never end.
    if (turn.events.length === eventsBefore) throw new Error(`the turn of node ${node.id} decided nothing`);
    answerUpdates(turn);
  }
}

/**
 * When the runtime must send `fire_timers`, milliseconds since the epoch; undefined: nothing will come due. A time that
 * is past is due at once. While suspended only the deadline counts.
 */
export function nextTimerAt(state: ExecutionState): number | undefined {
  if (isFinished(state)) return undefined;
  if (state.status === "suspended") return state.deadlineAt;
  if (peekReady(state) !== undefined) return state.updatedAt;
  const timerAt = peekTimer(state);
  if (timerAt === undefined) return state.deadlineAt;
  return state.deadlineAt === undefined ? timerAt : Math.min(timerAt, state.deadlineAt);
}

function nextNode(turn: Turn): LinkedNode | undefined {
  const { plan, state } = turn;
  const ready = peekReady(state);
  if (ready !== undefined) return plan.nodes[ready];
  // Against the real clock, not `turn.at`: a timer never fires early.
  const timerAt = peekTimer(state);
  return timerAt !== undefined && timerAt <= turn.context.now ? plan.nodes[peekTimerNode(state)] : undefined;
}

function step(turn: Turn, node: LinkedNode): void {
  try {
    if (peekReady(turn.state) === undefined) {
      node.program.fire?.(turn, node);
    } else if ((turn.state.nodes[node.index] as NodeState).status === "pending") {
      beginNode(turn, node);
    } else if ((turn.state.nodes[node.index] as NodeState).fallback !== undefined) {
      endFallback(turn, node);
    } else {
      node.program.join?.(turn, node);
    }
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    failNode(turn, node, describeNodeFault(node, error));
  }
}

/** The node that ran in this one's place has ended, and this one ends the same way. */
function endFallback(turn: Turn, node: LinkedNode): void {
  const { fallback, failure } = turn.state.nodes[node.index] as NodeState;
  const end = turn.state.nodes[fallback as number] as NodeState;
  if (end.status === "completed") completeNode(turn, node, end.output as Json);
  else failNode(turn, node, (end.failure ?? failure) as Failure);
}

function isFull(turn: Turn, payloadBytesBefore: number): boolean {
  return (
    turn.events.length + countActive(turn.state) + EVENTS_PER_STEP > MAX_EVENTS_PER_TURN ||
    turn.state.payloadBytes - payloadBytesBefore > MAX_PAYLOAD_BYTES_PER_TURN
  );
}

function finishIfSettled(turn: Turn): void {
  if (turn.state.openNodes === 0) completeExecution(turn);
}

function failByDeadline(turn: Turn): void {
  const timeoutMs = turn.plan.document.timeoutMs as number;
  failExecution(turn, coreFailure("timeout", `the execution has not ended within its timeout of ${timeoutMs} ms`));
}

function failBySize(turn: Turn): void {
  const { payloadBytes } = turn.state;
  const message = `the inputs and outputs of the execution are about ${payloadBytes} bytes, and the limit is ${MAX_EXECUTION_PAYLOAD_BYTES}; keep the data elsewhere and pass references to it`;
  failExecution(turn, coreFailure("payload_too_large", message));
}
