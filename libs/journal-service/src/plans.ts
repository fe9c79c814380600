import { DomainError } from "@heddle/errors";
import { maxCachedPlans } from "./limits.ts";

export interface PlanKey {
  namespace: string;
  workflowId: string;
  version: number;
}

/** A version of a definition in a form to run: the plan of a workflow of nodes, or the chart of a state machine. */
export interface ResolvedPlan<Plan> {
  plan: Plan;
  version: number;
}

/** Where plans come from, nearest first. */
export interface PlanSources<Document extends object, Plan> {
  /** Looks everything up in advance that running the document takes. May refuse a document of another kind. */
  link(document: Document): Plan;
  /** The service's own copy, so that what runs goes on when the definition service is away. */
  find(key: PlanKey): Promise<Document | undefined>;
  save(key: PlanKey, document: Document): Promise<void>;
  /**
   * The definition service: `version` 0 asks for the active one. The document is absent when its version is `knownVersion`.
   * Throws DEFINITION_NOT_FOUND or VERSION_NOT_FOUND.
   */
  fetch(key: PlanKey, knownVersion: number): Promise<{ version: number; document?: Document }>;
  /** The active version that events have told of; 0 after a deletion. For when the definition service is away. */
  findActive(key: PlanKey): Promise<number | undefined>;
}

/** Finds plans that were loaded before; recovery loads them first. */
export interface LoadedPlans<Plan> {
  /** Throws when the plan was not loaded: that is a defect. */
  get(key: PlanKey): Plan;
  /** Loads the plans of these versions. */
  load(keys: readonly PlanKey[]): Promise<void>;
}

export interface Plans<Plan> extends LoadedPlans<Plan> {
  /** The plan of a version, or of the one that is active now (version 0). */
  resolve(key: PlanKey): Promise<ResolvedPlan<Plan>>;
}

/**
 * Linked plans by version. Versions are immutable, so a plan never goes stale; which version is active is asked anew
 * for each start, in one call for all starts of a workflow that wait at that moment.
 */
export function createPlans<Document extends object, Plan>(sources: PlanSources<Document, Plan>): Plans<Plan> {
  const linked = new Map<string, Plan>();
  const newest = new Map<string, number>();
  const asking = new Map<string, { next: Promise<ResolvedPlan<Plan>> }>();

  const remember = (key: PlanKey, fresh: Plan): Plan => {
    const text = keyOf(key);
    const plan = linked.get(text) ?? fresh;
    linked.delete(text);
    linked.set(text, plan);
    return plan;
  };

  /** Before the start is acknowledged: a recovery must find the plan without the definition service. */
  const keep = async (key: PlanKey, document: Document): Promise<Plan> => {
    // First, because a document of another kind is refused.
    const plan = sources.link(document);
    await sources.save(key, document);
    return remember(key, plan);
  };

  // What runs holds its plan itself; dropping those that were used longest ago only costs a reload. Never while
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
    return stored && remember(key, sources.link(stored));
  };

  const resolveVersion = async (key: PlanKey): Promise<Plan> => {
    const known = await findVersion(key);
    if (known !== undefined) return known;
    const { document } = await sources.fetch(key, 0);
    if (document === undefined) throw new Error(`the definition service gave no plan for ${keyOf(key)}`);
    return keep(key, document);
  };

  /** The definition service is away: what its events have told, or else its own last word, has to do. */
  const resolveWithout = async (key: PlanKey, lastWord: number, away: DomainError) => {
    const version = (await sources.findActive(key)) ?? lastWord;
    const plan = version > 0 ? await findVersion({ ...key, version }) : undefined;
    if (plan === undefined) throw away;
    return { plan, version };
  };

  const resolveActive = async (key: PlanKey): Promise<ResolvedPlan<Plan>> => {
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
    return { plan: await keep(exact, document), version };
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
