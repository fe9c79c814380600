import { type ExecutionState, countActive, isFinished } from "./execution-state.ts";
import type { Failure } from "./events.ts";
import { NodeFault, coreFailure } from "./failure.ts";
import type { Json } from "./json.ts";
import { cutEnding, advanceEnding } from "./ending.ts";
import { isConcluding } from "./ending-state.ts";
import {
  MAX_ENDING_PAYLOAD_BYTES,
  MAX_EVENTS_PER_TURN,
  MAX_EXECUTION_PAYLOAD_BYTES,
  MAX_PAYLOAD_BYTES_PER_TURN,
} from "./limits.ts";
import { completeExecution } from "./output.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { beginNode } from "./ready.ts";
import { peekReady } from "./settle.ts";
import type { NodeState } from "./state.ts";
import { peekTimer, peekTimerNode } from "./timers.ts";
import { answerUpdates } from "./updates.ts";
import { completeNode, describeNodeFault, endExecution, failExecution, failNode } from "./ends.ts";

/**
 * Events that one step may give apart from those that stop the active nodes and items and skip those that a failure would have run: two of the node,
 * what undoes it, what is said of the failure, and the end of both in its stages.
 */
const EVENTS_PER_STEP = 7;

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
  if (state.deadlineAt !== undefined && state.deadlineAt <= turn.context.now) {
    // An end that was reached by the deadline has a time of its own.
    if (state.ending === undefined) failByDeadline(turn);
    else cutEnding(turn);
    if (isFinished(state)) return;
  }
  answerUpdates(turn);
  if (state.status === "suspended") return;
  const payloadBytesBefore = state.payloadBytes;
  for (let steps = 0; state.status === "running"; steps++) {
    if (state.payloadBytes > maxPayloadBytes(state)) {
      if (state.ending !== undefined) return cutEnding(turn);
      failBySize(turn);
      continue;
    }
    // At least one step per turn, so that even a plan that is wider than a turn moves on.
    if (steps > 0 && isFull(turn, payloadBytesBefore)) return;
    const node = nextNode(turn);
    if (!node) {
      if (!finishIfSettled(turn)) return;
      continue;
    }
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
  if (peekReady(state) !== undefined || isConcluding(state)) return state.updatedAt;
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

/** Events that would stop everything, if the execution failed now. */
function countStops({ plan, state }: Turn): number {
  return countActive(state) + (state.activeItems ?? 0) + plan.errorHandlers.length;
}

function isFull(turn: Turn, payloadBytesBefore: number): boolean {
  return (
    turn.events.length + countStops(turn) + EVENTS_PER_STEP > MAX_EVENTS_PER_TURN ||
    turn.state.payloadBytes - payloadBytesBefore > MAX_PAYLOAD_BYTES_PER_TURN
  );
}

/** @returns whether anything was decided */
function finishIfSettled(turn: Turn): boolean {
  if (turn.state.ending !== undefined) return advanceEnding(turn);
  if (turn.state.openNodes > 0) return false;
  if (turn.state.handling !== undefined) endHandling(turn);
  else completeExecution(turn);
  return true;
}

/** What runs in the place of everything has ended, and the execution ends the same way. */
function endHandling(turn: Turn): void {
  const { nodes, handling, handledFailure } = turn.state;
  const { status, output } = nodes[handling as number] as NodeState;
  if (status === "completed") endExecution(turn, { outcome: "completed", output: output as Json });
  // It did not want to run: nothing has been done about the failure.
  else endExecution(turn, { outcome: "failed", failure: handledFailure as Failure });
}

/** What undoes steps, or runs because the execution was to fail, has some room left, even of one that fails by its size. */
function maxPayloadBytes({ ending, handling }: ExecutionState): number {
  return ending === undefined && handling === undefined
    ? MAX_EXECUTION_PAYLOAD_BYTES
    : MAX_EXECUTION_PAYLOAD_BYTES + MAX_ENDING_PAYLOAD_BYTES;
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
