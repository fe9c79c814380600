import type { LinkedNode, Plan } from "./plan.ts";

/** The node that brings another one among those that begin afresh. */
export interface AfterCause {
  /**
   * `after`: the other one depends on it, is activated by it or stands in for it; `inside`: is in it; `awaits`: ends after it, as what
   * holds it.
   */
  relation: "after" | "inside" | "awaits";
  /** Its index. */
  of: number;
}

/**
 * These nodes and everything after them: what depends on them, what they activate, what stands in for them; of groups and
 * loops all inside. A group, loop or parallel ends after what is in it, and begins afresh with it, unless `takesBack`: it
 * goes on, and can wait for it once more. A parallel whose branch begins afresh leaves its other branches alone.
 * Each comes with what brought it here; undefined: it is one of the first.
 */
export function listAfter(
  plan: Plan,
  from: Iterable<number>,
  takesBack: (index: number, inner: number) => boolean,
): Map<number, AfterCause | undefined> {
  const after = new Map<number, AfterCause | undefined>();
  /** Parallels that only join again. */
  const joining = new Set<number>();
  const open: number[] = [];
  const add = (index: number, cause: AfterCause | undefined): void => {
    if (after.has(index) && !joining.delete(index)) return;
    after.set(index, cause);
    open.push(index);
  };
  for (const index of from) add(index, undefined);
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const inner = index;
    const linked = plan.nodes[inner] as LinkedNode;
    for (const next of [...linked.dependents, ...linked.fallbacks]) add(next, { relation: "after", of: inner });
    for (const owner of linked.fallbackOf) if (!takesBack(owner, inner)) add(owner, { relation: "awaits", of: inner });
    const { container } = linked.definition;
    if (container !== undefined && !takesBack(container, inner)) add(container, { relation: "awaits", of: inner });
    for (const parallel of linked.branchOf) {
      if (takesBack(parallel, inner) || after.has(parallel)) continue;
      joining.add(parallel);
      after.set(parallel, { relation: "awaits", of: inner });
      open.push(parallel);
    }
    if (joining.has(inner)) continue;
    for (const next of linked.activates) add(next, { relation: "after", of: inner });
    for (const next of linked.body?.inside ?? []) add(next, { relation: "inside", of: inner });
  }
  return after;
}
