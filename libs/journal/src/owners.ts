import type { Database } from "@heddle/store";
import { type Membership, readMembership } from "./lease.ts";

export interface Owner {
  owner: string;
  address: string;
}

/** What this process knows of who is alive and who owns what. */
export interface Owners {
  /** A look that somebody took. */
  saw(membership: Membership): void;
  /** Something changed at this process itself. */
  changed(): void;
  find(partition: number, options?: { fresh?: boolean }): Promise<Owner | undefined>;
  isLive(owner: string): boolean;
  onChange(listener: () => void): () => void;
}

/** Many calls that look for the same owners share a look that is no older than this. */
const FRESH_MS = 20;

export function createOwners(database: Database): Owners {
  const listeners = new Set<() => void>();
  let live = new Map<string, Owner>();
  let partitions: (string | null)[] = [];
  let seen = "";
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const lookUp = (partition: number): Owner | undefined => {
    const owner = partitions[partition];
    return owner == null ? undefined : live.get(owner);
  };

  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const saw = (membership: Membership): void => {
    const alive = membership.owners.filter(({ expiresInMs }) => expiresInMs > 0);
    const now = JSON.stringify([alive.map(({ owner, address }) => [owner, address]), membership.partitions]);
    if (now === seen) return;
    seen = now;
    live = new Map(alive.map(({ owner, address }) => [owner, { owner, address }]));
    partitions = [];
    for (const { partition, owner } of membership.partitions) partitions[partition] = owner;
    changed();
  };

  const look = async (): Promise<void> => {
    lookedAt = performance.now();
    try {
      saw(await readMembership(database));
    } catch {
      // The database is away: what was known last is the best that there is, and nobody can take anything meanwhile.
    } finally {
      looking = undefined;
    }
  };

  return {
    saw,
    changed,
    async find(partition, { fresh = false } = {}) {
      const known = lookUp(partition);
      if (known !== undefined && !fresh) return known;
      if (looking !== undefined || performance.now() - lookedAt > FRESH_MS) await (looking ??= look());
      return lookUp(partition);
    },
    isLive: (owner) => live.has(owner),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
