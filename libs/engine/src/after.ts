import type { LinkedNode, Plan } from "./plan.ts";

/**
 * These nodes and everything after them: what depends on them, what they activate, what stands in for them; of groups and
 * loops all inside. A group, loop or parallel ends after what is in it, and begins afresh with it, unless `takesBack`: it
 * goes on, and can wait for it once more. A parallel whose branch begins afresh leaves its other branches alone.
 */
export function listAfter(
  plan: Plan,
  from: Iterable<number>,
  takesBack: (index: number, inner: number) => boolean,
): Set<number> {
  const after = new Set<number>();
  /** Parallels that only join again. */
  const joining = new Set<number>();
  const open: number[] = [];
  const add = (index: number): void => {
    if (after.has(index) && !joining.delete(index)) return;
    after.add(index);
    open.push(index);
  };
  for (const index of from) add(index);
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const inner = index;
    const linked = plan.nodes[inner] as LinkedNode;
    for (const next of [...linked.dependents, ...linked.fallbacks]) add(next);
    for (const owner of linked.fallbackOf) if (!takesBack(owner, inner)) add(owner);
    const { container } = linked.definition;
    if (container !== undefined && !takesBack(container, inner)) add(container);
    for (const parallel of linked.branchOf) {
      if (takesBack(parallel, inner) || after.has(parallel)) continue;
      joining.add(parallel);
      after.add(parallel);
      open.push(parallel);
    }
    if (joining.has(inner)) continue;
    for (const next of [...linked.activates, ...(linked.body?.inside ?? [])]) add(next);
  }
  return after;
}
