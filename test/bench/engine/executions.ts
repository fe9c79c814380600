import {
  type Command,
  type Event,
  type ExecutionState,
  type Plan,
  decide,
  evolve,
  nextTimerAt,
  obligationsOf,
} from "@heddle/engine";
import { type BenchCase, PAYLOAD } from "./cases.ts";

/** What is called for each turn: the place where a service would commit. */
export type OnTurn = (events: readonly Event[]) => void;

const EXECUTION_ID = "01900000-0000-7000-8000-000000000001";
const CONTEXT = { executionId: EXECUTION_ID, now: 1_700_000_000_000, childId: (nodeId: string) => nodeId };
const START: Command = {
  type: "start",
  start: {
    namespace: "default",
    workflowId: "bench",
    version: 1,
    input: PAYLOAD,
    requestId: "",
    priority: 5,
    labels: {},
  },
};

/**
 * One execution, turn by turn, as a service would do it: decide, take the obligations, ask for the next timer. It yields
 * after every turn, so that any number can be in flight.
 */
export function* playExecution(plan: Plan, onTurn: OnTurn): Generator<undefined, ExecutionState> {
  const { state, events } = decide(plan, undefined, START, CONTEXT);
  const queue: { nodeId: string; attempt: number }[] = [];
  const take = (turn: readonly Event[]) => {
    onTurn(turn);
    for (const started of obligationsOf(plan, state, turn, EXECUTION_ID).startTasks) queue.push(started);
    if (nextTimerAt(state) !== undefined) throw new Error("nothing in this workflow waits for time");
  };
  take(events);
  for (let i = 0; i < queue.length; i++) {
    yield;
    const { nodeId, attempt } = queue[i] as { nodeId: string; attempt: number };
    const output = { ...PAYLOAD };
    take(
      decide(
        plan,
        state,
        { type: "complete_task", nodeId, attempt, output, startedAt: CONTEXT.now, worker: "w" },
        CONTEXT,
      ).events,
    );
  }
  return state;
}

/** Plays one execution to its end and checks it. */
export function runExecution(plan: Plan, bench: BenchCase, onTurn: OnTurn): ExecutionState {
  const play = playExecution(plan, onTurn);
  let step = play.next();
  while (!step.done) step = play.next();
  checkExecution(bench, step.value);
  return step.value;
}

export function checkExecution(bench: BenchCase, state: ExecutionState): void {
  const fault = bench.findFault(state);
  if (fault !== undefined) throw new Error(`an execution of the ${bench.name} went wrong: ${fault}`);
}

/** The state that a history gives. */
export function replayHistory(plan: Plan, history: readonly Event[]): ExecutionState {
  let state: ExecutionState | undefined;
  for (const event of history) state = evolve(plan, state, event);
  return state as ExecutionState;
}
