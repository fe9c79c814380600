import fc from "fast-check";
import { log, raise, type ChartSketch, type StateSketch, type TransitionSketch } from "./build-chart.ts";

/**
 * A random chart in the subset in which XState follows the standard, and a script of events for it. Left out is where it does not:
 * - A transition of a parallel state, or of a state around one, is enabled for each region that has none of its own (Appendix D:
 *   selectTransitions goes up from every atomic state). XState takes it only when no region has one. Here such states have events of their own.
 * - The domain of a transition is a compound state (Appendix D: findLCCA). XState takes a parallel state too, and leaves less.
 *   Here no transition has only a parallel state in common with its target.
 * - A circle of eventless transitions has no end in XState.
 */
export interface RandomCase {
  sketch: ChartSketch;
  script: string[];
}

const EVENTS = ["a", "b", "c", "d"] as const;
const MAX_STATES = 14;

/** Every choice comes from `draw`, so that fast-check can shrink and repeat it. */
export const randomCase: fc.Arbitrary<RandomCase> = fc
  .record({
    choices: fc.array(fc.nat(1_000_000), { minLength: 150, maxLength: 150 }),
    script: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 8 }),
  })
  .map(({ choices, script }) => {
    const sketch = sketchOf(choices);
    const events = [...new Set([...EVENTS, ...listEvents(sketch.states)])];
    return { sketch, script: script.map((choice) => events[choice % events.length] as string) };
  });

function listEvents(states: readonly StateSketch[]): string[] {
  return states.flatMap((state) => [
    ...(state.on ?? []).flatMap(({ event }) => (event?.startsWith("p") ? [event] : [])),
    ...listEvents(state.states ?? []),
  ]);
}

function sketchOf(choices: readonly number[]): ChartSketch {
  let position = 0;
  const draw = (below: number): number => (choices[position++ % choices.length] as number) % below;
  let count = 0;
  const all: StateSketch[] = [];

  const makeStates = (depth: number, parent: "compound" | "parallel" | "root"): StateSketch[] => {
    const number = parent === "root" ? 2 + draw(3) : 1 + draw(3);
    const states: StateSketch[] = [];
    for (let i = 0; i < number && count < MAX_STATES; i++) states.push(makeState(depth, parent, i));
    return states;
  };

  const makeState = (depth: number, parent: "compound" | "parallel" | "root", position: number): StateSketch => {
    const id = `s${count++}`;
    const state: StateSketch = { id, enter: [log(`+${id}`)], exit: [log(`-${id}`)] };
    all.push(state);
    const shape = depth >= 3 ? 9 : draw(10);
    if (parent === "compound" && position > 0 && draw(5) === 0) {
      state.final = true;
      delete state.exit;
      state.exit = [log(`-${id}`)];
      return state;
    }
    if (shape < 3 && count < MAX_STATES) {
      state.states = makeStates(depth + 1, "compound");
      if (state.states.every(({ final }) => final)) delete state.states;
    } else if (shape < 5 && count < MAX_STATES - 1) {
      state.parallel = true;
      state.states = makeStates(depth + 1, "parallel");
      if (state.states.length === 0) {
        delete state.states;
        delete state.parallel;
      }
    }
    if (state.states?.length && !state.parallel) {
      const inner = state.states.filter(({ final }) => !final);
      state.initial = (inner[draw(inner.length)] as StateSketch).id;
      if (draw(3) === 0) {
        const history: StateSketch = {
          id: `h${id}`,
          history: draw(2) === 0 ? "shallow" : "deep",
          initial: state.initial,
        };
        state.states.push(history);
      }
    }
    return state;
  };

  const states = makeStates(0, "root");
  const targets = all.flatMap((state) => [
    state.id,
    ...(state.states ?? []).filter(({ history }) => history !== undefined).map(({ id }) => id),
  ]);
  for (const state of all) {
    if (state.final) continue;
    const number = draw(4);
    state.on = Array.from({ length: number }, (_, index) => makeTransition(state, index));
    if (state.states && !state.states.some(hasParallel) && draw(3) === 0)
      state.on.push({ event: `done.state.${state.id}`, ...destination(state) });
    if (draw(8) === 0) {
      // Eventless, and only ever towards the end of the document: it cannot run in a circle.
      const later = all[all.indexOf(state) + 1 + draw(3)];
      if (
        later !== undefined &&
        !isInside(later, state) &&
        !hasParallel(state) &&
        !commonAncestor(state.id, later.id)?.parallel
      ) {
        state.on.push({ guard: `In("${all[draw(all.length)]!.id}")`, to: later.id });
      }
    }
  }

  function makeTransition(state: StateSketch, index: number): TransitionSketch {
    const event = hasParallel(state) ? `p${draw(3)}.${state.id}` : (EVENTS[draw(EVENTS.length)] as string);
    const guard = draw(6) === 0 ? { guard: `In("${all[draw(all.length)]!.id}")` } : {};
    const actions = [log(`${state.id}.${index}`), ...(draw(8) === 0 ? [raise("r")] : [])];
    const kind = draw(8);
    if (kind === 0) return { event, ...guard, do: actions };
    const isRaised = !hasParallel(state) && draw(10) === 0;
    return { event: isRaised ? "r" : event, ...guard, do: actions, ...destination(state) };
  }

  function destination(state: StateSketch): Pick<TransitionSketch, "to" | "internal"> {
    const to = targets[draw(targets.length)] as string;
    if (commonAncestor(state.id, to)?.parallel) return {};
    const around = all.find(({ states }) => states?.some(({ id, history }) => id === to && history !== undefined));
    // What a history brings back may be inside of a parallel that the source is in.
    if (around !== undefined && has(around, state.id) && hasParallel(around)) return {};
    const inside = all.find(({ id }) => id === to);
    const internal =
      !state.parallel && inside !== undefined && inside !== state && isInside(inside, state) && draw(2) === 0;
    return { to, ...(internal && { internal }) };
  }

  /** The innermost state that has both inside of it; undefined for the root. */
  function commonAncestor(a: string, b: string): StateSketch | undefined {
    return all.findLast((state) => has(state, a) && has(state, b));
  }

  return { states };
}

function has(state: StateSketch, id: string): boolean {
  return (state.states ?? []).some((child) => child.id === id || has(child, id));
}

function hasParallel(state: StateSketch): boolean {
  return state.parallel === true || (state.states ?? []).some(hasParallel);
}

function isInside(inner: StateSketch, outer: StateSketch): boolean {
  return (outer.states ?? []).some((child) => child === inner || isInside(inner, child));
}
