import { isDeepStrictEqual } from "node:util";
import {
  BUILT_IN_QUERIES,
  type ChildCancellation,
  type Event,
  type ExecutionState,
  MAX_EVENTS_PER_TURN,
  type NodeStatus,
  type Plan,
  answerQuery,
  countNodes,
  evolve,
  findClosePolicy,
  isFinished,
  linkPlan,
  listNodes,
  nextTimerAt,
} from "../../src/index.ts";
import { createEndingModel } from "./ending-model.ts";
import { createOrderModel } from "./order-model.ts";
import { createRandom } from "./random.ts";
import { makeRandomPlan } from "./random-plan.ts";
import { playRandomly } from "./random-run.ts";
import { EXECUTION_ID, copyState, createRunner, replay, sortedObligations } from "./runner.ts";

/** What looks at all nodes after every command is asked of plans up to this size. */
const MAX_NODES_LOOKED_AT = 60;
/** The state goes through JSON between any two events in plans up to this size. */
const MAX_NODES_COPIED = 12;
/** Up to this length a history is replayed from nothing at every prefix too. */
const MAX_EVENTS_REPLAYED = 40;

/**
 * Plays one random execution of one random plan, which `seed` and `size` make, and holds all properties to it at once.
 * @throws whatever does not hold
 * @returns how it ended
 */
export function checkRun(seed: number, size: number): string {
  const random = createRandom(seed);
  const plan = linkPlan(makeRandomPlan(random, size), { maxActiveItems: random.pick([1, 2, 5, 1_000]) });
  // Now and then what a loop or map has gathered is too large.
  const runner = createRunner(plan, random.chance(0.1) ? 150 : undefined);
  const order = createOrderModel(plan);
  const endings = createEndingModel(plan);
  /** Built from the events alone, each of them on its way through JSON. */
  let shadow: ExecutionState | undefined;
  const children = new Set<string>();
  playRandomly(runner, random, {
    onStep({ events, changes }, command) {
      if (command.type === "cancel") checkCancel(runner.state as ExecutionState);
      check(events.length <= MAX_EVENTS_PER_TURN, "a turn is too long");
      for (const event of events) {
        order.observe(event);
        endings.observe(event);
        const before = plan.nodes.length <= MAX_NODES_COPIED ? shadow && copyState(shadow) : shadow;
        shadow = evolve(plan, before, JSON.parse(JSON.stringify(event)) as Event);
      }
      order.rest();
      for (const child of changes.cancelChildren) checkClose(plan, child);
      for (const { childId } of changes.startChildren) {
        check(!children.has(childId), `${childId} is started twice`);
        children.add(childId);
      }
      if (plan.nodes.length > MAX_NODES_LOOKED_AT) return;
      checkSame(shadow, runner.state);
      const { expected, known } = sortedObligations(runner);
      checkEqual(known, expected, "the obligations do not add up");
      checkItems(plan, runner.state as ExecutionState);
      checkCounts(runner.state as ExecutionState, listNodes(plan, runner.state as ExecutionState));
      for (const name of BUILT_IN_QUERIES) {
        answerQuery(plan, runner.state as ExecutionState, { executionId: EXECUTION_ID, name, args: null });
      }
    },
  });
  const state = runner.state as ExecutionState;
  checkSame(shadow, state);
  check(isFinished(state), "it has not ended");
  check(nextTimerAt(state) === undefined, "it wants to be woken after its end");
  const left = sortedObligations(runner).expected;
  checkEqual([left.tasks, left.children, left.machines], [[], [], []], "something goes on after its end");
  const { history } = runner;
  if (history.length <= MAX_EVENTS_REPLAYED) {
    let stepped: ExecutionState | undefined;
    for (const [index, event] of history.entries()) {
      stepped = evolve(plan, stepped, event);
      checkSame(replay(plan, history.slice(0, index + 1)), stepped);
    }
  } else checkSame(replay(plan, history), state);
  return state.status;
}

/** A cancel always ends: what is left to do before is under way, and has a bound. */
function checkCancel(state: ExecutionState): void {
  if (isFinished(state)) return;
  check(state.status === "running", "it was canceled, and is held back");
  check(state.deadlineAt !== undefined, "it was canceled, and has no bound for its end");
}

/** As many run as are counted and may, and none is held back while one more might run. */
function checkItems({ maxActiveItems }: Plan, { nodes, activeItems = 0, heldMaps = [], status }: ExecutionState): void {
  const running = nodes.reduce((sum, { map }) => sum + (map?.active.length ?? 0), 0);
  checkEqual(activeItems, running, "the count of items that run is wrong");
  check(running <= maxActiveItems, "too many items run");
  const isHeld = heldMaps.some((index) => nodes[index]?.map?.isHeld);
  check(status !== "running" || !isHeld || running === maxActiveItems, "a map waits for nothing");
}

function checkClose(plan: Plan, { nodeId, childId, terminate }: ChildCancellation): void {
  const policy = findClosePolicy(plan, nodeId);
  check(policy !== "leave", `child ${childId} of ${nodeId} is told to end, and should be left`);
  check(policy !== "terminate" || terminate === true, `child ${childId} of ${nodeId} is not ended at once`);
}

function check(holds: boolean, fault: string): void {
  if (!holds) throw new Error(fault);
}

function checkEqual(actual: unknown, expected: unknown, fault: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${fault}: ${JSON.stringify(actual)} where ${JSON.stringify(expected)} is expected`);
}

function checkSame(actual: ExecutionState | undefined, expected: ExecutionState | undefined): void {
  const copies = [actual && copyState(actual), expected && copyState(expected)];
  checkEqual(copies[0], copies[1], "the replay gives another state");
}

function checkCounts(state: ExecutionState, nodes: readonly { status: NodeStatus }[]): void {
  const found: Record<string, number> = {};
  for (const { status } of nodes) found[status] = (found[status] ?? 0) + 1;
  for (const [status, count] of Object.entries(countNodes(state)))
    check((found[status] ?? 0) === count, `the count of nodes that are ${status} is wrong`);
}

/** The plan's size for the run of this number: mostly small, now and then large. */
export function sizeOfRun(run: number): number {
  if (run % 500 === 499) return 100 + ((run * 7) % 150);
  return run % 40 === 39 ? 20 + ((run * 3) % 50) : 1 + (run % 14);
}
