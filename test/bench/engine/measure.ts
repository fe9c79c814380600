import { isDeepStrictEqual } from "node:util";
import { type Event, type Plan, decodeState, encodeState, linkPlan } from "@heddle/engine";
import { type BenchCase, PAYLOAD } from "./cases.ts";
import { checkExecution, replayHistory, runExecution } from "./executions.ts";

export interface Figures {
  name: string;
  events: number;
  transitionsPerSecond: number;
  replayedPerSecond: number;
  /** How fast bare objects in a list and a map are, for as many events. */
  floorPerSecond: number;
}

const WARM_UP_SHARE = 0.25;

/** Runs a case for about `durationMs`, its replay and its floor after it, and checks everything that came out. */
export function measureCase(bench: BenchCase, durationMs: number): Figures {
  const plan = linkPlan(bench.document);
  const history = recordHistory(plan, bench);
  runFor(durationMs * WARM_UP_SHARE, () => runExecution(plan, bench, ignore));
  let events = 0;
  const seconds = runFor(durationMs, () => runExecution(plan, bench, (turn) => (events += turn.length)));
  if (events !== seconds.rounds * bench.eventsPerExecution) {
    throw new Error(`${seconds.rounds} executions gave ${events} events instead of ${bench.eventsPerExecution} each`);
  }
  const replay = runFor(durationMs / 2, () => checkExecution(bench, replayHistory(plan, history)));
  const floor = runFor(durationMs / 2, () => runFloor(history));
  return {
    name: bench.name,
    events,
    transitionsPerSecond: events / seconds.elapsed,
    replayedPerSecond: (replay.rounds * history.length) / replay.elapsed,
    floorPerSecond: (floor.rounds * history.length) / floor.elapsed,
  };
}

/** One execution's events; its replay and its snapshot must give its state. */
function recordHistory(plan: Plan, bench: BenchCase): Event[] {
  const history: Event[] = [];
  const state = decodeState(encodeState(runExecution(plan, bench, (turn) => history.push(...turn))));
  if (history.length !== bench.eventsPerExecution) throw new Error(`an execution gave ${history.length} events`);
  const replayed = decodeState(encodeState(replayHistory(plan, history)));
  if (!isDeepStrictEqual(replayed, state)) throw new Error(`the replay of the ${bench.name} gives another state`);
  return history;
}

/** What no engine can do without: an object per event in a list, and a record of its node in a map. */
function runFloor(history: readonly Event[]): void {
  const nodes = new Map<string, { status: string; output: unknown }>();
  const events: unknown[] = [];
  for (const event of history) {
    const nodeId = "nodeId" in event ? event.nodeId : "";
    events.push({ type: event.type, at: event.at, nodeId, output: PAYLOAD });
    const node = nodes.get(nodeId);
    if (node) node.status = event.type;
    else nodes.set(nodeId, { status: event.type, output: PAYLOAD });
  }
  if (events.length !== history.length) throw new Error("the floor lost an event");
}

function runFor(durationMs: number, round: () => void): { rounds: number; elapsed: number } {
  const begin = performance.now();
  let rounds = 0;
  let now = begin;
  for (; now - begin < durationMs; now = performance.now()) {
    // The clock costs as much as a short replay.
    for (let i = 0; i < 16; i++) round();
    rounds += 16;
  }
  return { rounds, elapsed: (now - begin) / 1_000 };
}

function ignore(): void {
  // A measurement that counts nothing.
}
