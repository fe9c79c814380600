import { linkPlan, type Plan, type PlanDocument } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import type { LoadedPlans } from "./aggregate.ts";
import { maxCachedPlans } from "./limits.ts";

export interface PlanKey {
  namespace: string;
  workflowId: string;
  version: number;
}

/** Where plans come from, nearest first. */
export interface PlanSources {
  /** The service's own copy, so that executions go on when the definition service is away. */
  find(key: PlanKey): Promise<PlanDocument | undefined>;
  save(key: PlanKey, document: PlanDocument): Promise<void>;
  /**
   * The definition service: `version` 0 asks for the active one. The document is absent when its version is `knownVersion`.
   * Throws DEFINITION_NOT_FOUND or VERSION_NOT_FOUND.
   */
  fetch(key: PlanKey, knownVersion: number): Promise<{ version: number; document?: PlanDocument }>;
  /** The active version that events have told of; 0 after a deletion. For when the definition service is away. */
  findActive(key: PlanKey): Promise<number | undefined>;
}

export interface Plans extends LoadedPlans {
  /** The plan of a version, or of the one that is active now (version 0). */
  resolve(key: PlanKey): Promise<{ plan: Plan; version: number }>;
}

/**
 * Linked plans by version. Versions are immutable, so a plan never goes stale; which version is active is asked anew
 * for each start, in one call for all starts of a workflow that wait at that moment.
 */
export function createPlans(sources: PlanSources): Plans {
  const linked = new Map<string, Plan>();
  const newest = new Map<string, number>();
  const asking = new Map<string, { next: Promise<{ plan: Plan; version: number }> }>();

  const remember = (key: PlanKey, document: PlanDocument): Plan => {
    const text = keyOf(key);
    const plan = linked.get(text) ?? linkPlan(document);
    linked.delete(text);
    linked.set(text, plan);
    return plan;
  };

  // Executions hold their plans themselves; dropping those that were used longest ago only costs a reload. Never while
  // plans are loaded for a replay, which must find all of them.
  const forgetOldest = (): void => {
    for (const oldest of linked.keys()) {
      if (linked.size <= maxCachedPlans) break;
      linked.delete(oldest);
    }
    for (const oldest of newest.keys()) {
      if (newest.size <= maxCachedPlans) break;
      newest.delete(oldest);
    }
  };

  /** From memory or the own copy. */
  const findVersion = async (key: PlanKey): Promise<Plan | undefined> => {
    const known = linked.get(keyOf(key));
    if (known !== undefined) return known;
    const stored = await sources.find(key);
    return stored && remember(key, stored);
  };

  const resolveVersion = async (key: PlanKey): Promise<Plan> => {
    const known = await findVersion(key);
    if (known !== undefined) return known;
    const { document } = await sources.fetch(key, 0);
    if (document === undefined) throw new Error(`the definition service gave no plan for ${keyOf(key)}`);
    await sources.save(key, document);
    return remember(key, document);
  };

  /** The definition service is away: what its events have told, or else its own last word, has to do. */
  const resolveWithout = async (key: PlanKey, lastWord: number, away: DomainError) => {
    const version = (await sources.findActive(key)) ?? lastWord;
    const plan = version > 0 ? await findVersion({ ...key, version }) : undefined;
    if (plan === undefined) throw away;
    return { plan, version };
  };

  const resolveActive = async (key: PlanKey): Promise<{ plan: Plan; version: number }> => {
    const workflow = `${key.namespace}/${key.workflowId}`;
    const known = newest.get(workflow) ?? 0;
    const fetched = await sources.fetch(key, known).catch((error: unknown) => {
      if (error instanceof DomainError && error.kind === "unavailable") return error;
      throw error;
    });
    if (fetched instanceof DomainError) return resolveWithout(key, known, fetched);
    const { version, document } = fetched;
    const exact = { ...key, version };
    newest.delete(workflow);
    newest.set(workflow, version);
    forgetOldest();
    if (document === undefined) return { plan: await resolveVersion(exact), version };
    // Before the start is acknowledged: a recovery must find the plan without the definition service.
    await sources.save(exact, document);
    return { plan: remember(exact, document), version };
  };

  return {
    get(key) {
      const plan = linked.get(keyOf(key));
      if (plan === undefined) throw new Error(`plan ${keyOf(key)} was not loaded before the replay`);
      return plan;
    },
    async load(keys) {
      const missing = new Map(keys.filter((key) => !linked.has(keyOf(key))).map((key) => [keyOf(key), key]));
      for (const key of missing.values()) await resolveVersion(key);
    },
    resolve(key) {
      if (key.version !== 0) return resolveVersion(key).then((plan) => ({ plan, version: key.version }));
      const workflow = `${key.namespace}/${key.workflowId}`;
      // A call under way may have been answered before this start was asked for: only one that has not left may be shared.
      const waiting = asking.get(workflow);
      if (waiting !== undefined) return waiting.next;
      const entry = {
        next: new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
          asking.delete(workflow);
          return resolveActive(key);
        }),
      };
      asking.set(workflow, entry);
      return entry.next;
    },
  };
}

function keyOf({ namespace, workflowId, version }: PlanKey): string {
  return `${namespace}/${workflowId}@${version}`;
}
