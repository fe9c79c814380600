import { ancestorsOf, type Chart, isAtomic, type LinkedState } from "./chart.ts";
import { delayPosition } from "./event-names.ts";
import type { MachineMigrated } from "./events.ts";
import type { MachineState } from "./machine-state.ts";

/** What a migration would do. */
export interface MigrationPlan extends Omit<MachineMigrated, "type" | "at" | "namespace" | "workflowId" | "version"> {
  /** Why it cannot be done, for people; it can when there is none. */
  obstacles: string[];
}

/**
 * Where a machine would stand in another version of its definition. Each active atomic state needs a counterpart there,
 * by its name or by the mapping, and together these must be a configuration of the new chart. Timers and invocations go
 * along when the counterpart of their state has a delayed transition at the same place, or an invocation of the same id and kind.
 */
export function planMigration(
  from: Chart,
  state: MachineState,
  to: Chart,
  mapping: Readonly<Record<string, string>>,
): MigrationPlan {
  const obstacles = checkMapping(from, to, mapping);
  const rename = (id: string): string => (Object.hasOwn(mapping, id) ? (mapping[id] as string) : id);
  const find = (id: string): LinkedState | undefined => stateOf(to, rename(id));
  const nameOf = (index: number): string => from.states[index]?.id ?? "";

  const active = new Set<LinkedState>();
  for (const index of state.configuration) {
    const old = from.states[index] as LinkedState;
    if (!isAtomic(old)) continue;
    const target = find(old.id);
    const obstacle = checkTarget(old, target);
    if (obstacle !== undefined) obstacles.push(obstacle);
    if (target === undefined) continue;
    active.add(target);
    for (const ancestor of ancestorsOf(to, target)) active.add(ancestor);
  }
  if (obstacles.length === 0) obstacles.push(...checkConfiguration(active));

  const isPlaced = (id: string): boolean => {
    const target = find(id);
    return target !== undefined && active.has(target);
  };
  const history: Record<string, string[]> = {};
  for (const [index, stored] of Object.entries(state.history)) {
    const target = find(nameOf(Number(index)));
    const states = stored.map((old) => find(nameOf(old)));
    if (target?.kind !== "history" || !states.every((found) => isWithin(to, found, target))) continue;
    history[target.id] = states.map((found) => (found as LinkedState).id);
  }
  return {
    obstacles,
    configuration: [...active]
      .filter((found) => found !== to.root)
      .sort((a, b) => a.index - b.index)
      .map(({ id }) => id),
    renamed: Object.fromEntries(Object.entries(mapping).filter(([old, now]) => old !== now)),
    canceledTimers: state.timers
      .filter(({ state: owner, event }) => {
        if (owner === undefined) return false;
        const position = delayPosition(event, owner);
        return !isPlaced(owner) || !find(owner)?.delayed.some((transition) => transition.position === position);
      })
      .map(({ id }) => id),
    canceledInvocations: state.invocations
      .filter(({ id, kind, state: owner }) => {
        const same = find(owner)?.invocations.find((invocation) => invocation.id === id);
        return !isPlaced(owner) || same?.definition.kind !== kind;
      })
      .map(({ id }) => id),
    history,
    initialized: state.initialized.map((index) => find(nameOf(index))?.id).filter((id) => id !== undefined),
  };
}

function checkMapping(from: Chart, to: Chart, mapping: Readonly<Record<string, string>>): string[] {
  return Object.entries(mapping).flatMap(([old, now]) => {
    if (!from.indices.has(old)) return [`the mapping names state ${old}, which the machine's version does not have`];
    return to.indices.has(now) ? [] : [`the mapping leads ${old} to state ${now}, which the new version does not have`];
  });
}

function checkTarget(old: LinkedState, target: LinkedState | undefined): string | undefined {
  if (target === undefined)
    return `state ${old.id} is active and the new version has no state of that name; map it to one`;
  if (!isAtomic(target)) {
    return `state ${old.id} is active and ${target.id} is ${target.kind} in the new version; map it to an atomic state`;
  }
  if (target.kind === "final" && target.depth === 1) {
    return `state ${old.id} would lead to the final state ${target.id}, which would end the machine; send an event for that`;
  }
  return undefined;
}

/** Exactly one child of each compound state, and all of each parallel one. */
function checkConfiguration(active: ReadonlySet<LinkedState>): string[] {
  return [...active].flatMap((state) => {
    const children = state.children.filter((child) => active.has(child)).map(({ id }) => id);
    if (state.kind === "compound" && children.length > 1) {
      return [
        `states ${children.join(" and ")} would be active at once, but ${state.id || "the machine"} is in one of them`,
      ];
    }
    if (state.kind !== "parallel") return [];
    return state.children
      .filter((child) => !active.has(child))
      .map((child) => `region ${child.id} of ${state.id} would have no active state; no active state leads into it`);
  });
}

/** May the history state stand for it? */
function isWithin(to: Chart, found: LinkedState | undefined, history: LinkedState): boolean {
  if (found === undefined) return false;
  if (history.definition.history !== "deep") return found.parent === history.parent;
  return isAtomic(found) && [...ancestorsOf(to, found)].some(({ index }) => index === history.parent);
}

function stateOf(chart: Chart, id: string): LinkedState | undefined {
  const index = chart.indices.get(id);
  return index === undefined ? undefined : chart.states[index];
}
