import type { Report } from "../report.ts";
import type { Graph } from "./graph.ts";
import { sortMoments } from "./waits.ts";
import type { Wait, Waits } from "./waits.ts";

/** Longer circles are shown with a gap. */
const MAX_SHOWN = 20;

/** Reports one circle in every knot of nodes that wait for one another. Linear in nodes and edges. @returns whether there is none. */
export function checkCycles(graph: Graph, waits: Waits, report: Report): boolean {
  const sorted = new Set(sortMoments(waits));
  if (sorted.size === waits.size) return true;
  const done = new Set<number>();
  for (let moment = 0; moment < waits.size; moment += 1) {
    if (sorted.has(moment) || done.has(moment)) continue;
    const circle = findCircle(waits, moment, sorted, done);
    if (circle !== undefined) reportCircle(graph, waits, circle, report);
  }
  return false;
}

/** Follows waits from `start` until a moment comes twice; `done` marks what needs no second look, so that all calls together are linear. */
function findCircle(
  { waitsFor }: Waits,
  start: number,
  sorted: ReadonlySet<number>,
  done: Set<number>,
): Wait[] | undefined {
  const path: { moment: number; next: number; wait?: Wait }[] = [{ moment: start, next: 0 }];
  const depths = new Map([[start, 0]]);
  let circle: Wait[] | undefined;
  while (path.length > 0) {
    const top = path.at(-1)!;
    const wait = waitsFor[top.moment]![top.next];
    top.next += 1;
    if (wait === undefined) {
      path.pop();
      depths.delete(top.moment);
      done.add(top.moment);
    } else if (depths.has(wait.moment)) {
      // One circle is enough: the others of the same knot mostly vanish with it.
      circle ??= [...path.slice(depths.get(wait.moment)! + 1).map((step) => step.wait!), wait];
    } else if (!sorted.has(wait.moment) && !done.has(wait.moment)) {
      depths.set(wait.moment, path.length);
      path.push({ moment: wait.moment, next: 0, wait });
    }
  }
  return circle;
}

function reportCircle({ nodes }: Graph, waits: Waits, circle: Wait[], report: Report): void {
  // A parallel's two moments are one node to the reader.
  const members = circle
    .map(({ moment }) => waits.nodeOf(moment))
    .filter((node, index, all) => node !== all[(index + 1) % all.length]);
  const names = members.map((index) => nodes[index]!.id);
  const shown =
    names.length > MAX_SHOWN
      ? [...names.slice(0, MAX_SHOWN - 1), `… ${names.length - MAX_SHOWN} more …`, names.at(-1)!]
      : names;
  const text = [...shown, shown[0]!].map((name) => (name.startsWith("…") ? name : `"${name}"`)).join(" → ");
  const inferred = circle.find(({ edge }) => edge?.isInferred === true)?.edge;
  if (inferred !== undefined) {
    report.add(
      "circular-reference",
      inferred.at,
      `"${nodes[inferred.from]!.id}" is read here, yet it runs later: ${text} (each waits for the next)`,
      "read something that runs before, or break the circle elsewhere",
    );
    return;
  }
  const edges = circle.flatMap(({ edge }) => (edge === undefined ? [] : [edge]));
  const first = edges.toSorted((left, right) => left.at.start - right.at.start)[0]!;
  report.add(
    "cycle",
    first.at,
    `nodes wait for one another in a circle: ${text} (each waits for the next)`,
    "remove one of these dependencies",
  );
}
