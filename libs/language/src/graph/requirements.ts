import type { Branch } from "./choices.ts";

/** For a node: which branches of which switches must have been chosen for it to run. A switch that is not there does not matter. */
export type Requirements = ReadonlyMap<number, ReadonlySet<Branch>>;
export const NONE: Requirements = new Map();

/**
 * Switches that are followed per node, and branches that are compared in all. Beyond it the oldest, respectively all,
 * are forgotten: then a join may go unreported, but nothing that works is refused, and the time stays linear.
 */
const MAX_TRACKED = 64;
const MAX_COMPARED = 5_000_000;

export interface Algebra {
  /** The same, and this switch chooses one of these branches. */
  choose(requirements: Requirements, theSwitch: number, branches: ReadonlySet<Branch>): Requirements;
  /** Both must hold. `conflict`: a switch that would have to choose two branches at once. */
  both(left: Requirements, right: Requirements): { joined: Requirements; conflict?: number };
  /** One of the two must hold. */
  either(left: Requirements, right: Requirements): Requirements;
}

/** For one definition: the work of all its operations together is bounded. */
export function createAlgebra(): Algebra {
  let compared = 0;
  const isSpent = (left: Requirements, right: Requirements): boolean => {
    for (const requirements of [left, right])
      for (const branches of requirements.values()) compared += 1 + branches.size;
    return compared > MAX_COMPARED;
  };
  return {
    choose: (requirements, theSwitch, branches) => forget(new Map([...requirements, [theSwitch, branches]])),
    both(left, right) {
      if (left.size === 0 || left === right) return { joined: right };
      if (right.size === 0) return { joined: left };
      if (isSpent(left, right)) return { joined: NONE };
      const joined = new Map(left);
      for (const [key, branches] of right) {
        const common = left.get(key)?.intersection(branches) ?? branches;
        if (common.size === 0) return { joined: NONE, conflict: key };
        joined.set(key, common);
      }
      return { joined: forget(joined) };
    },
    either(left, right) {
      if (left === right) return left;
      if (left.size === 0 || right.size === 0 || isSpent(left, right)) return NONE;
      const joined = new Map<number, ReadonlySet<Branch>>();
      for (const [key, branches] of left) {
        const others = right.get(key);
        if (others !== undefined) joined.set(key, branches.union(others));
      }
      return joined;
    },
  };
}

function forget(requirements: Map<number, ReadonlySet<Branch>>): Requirements {
  for (const key of requirements.keys()) {
    if (requirements.size <= MAX_TRACKED) break;
    requirements.delete(key);
  }
  return requirements;
}
