import type { Watched } from "../store/watched.ts";

/** What this process knows of what anybody waits for, so that events that concern nobody cost no query. */
export interface WatchIndex {
  /** Namespaces with schedules or triggers. */
  namespaces(): readonly string[];
  /** Whether the end of an execution of this workflow may matter. */
  isSource(namespace: string, workflowId: string): boolean;
  /** Whether any end may. */
  hasSources(): boolean;
  /** Reads it anew; calls while a read is under way share the one after it. */
  reload(): Promise<void>;
}

export function createWatchIndex(read: () => Promise<Watched>): WatchIndex {
  let namespaces: readonly string[] = [];
  let sources: ReadonlySet<string> = new Set();
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const watched = await read();
    ({ namespaces } = watched);
    sources = new Set(watched.sources.map((source) => keyOf(source.namespace, source.workflowId)));
  };

  const begin = (): Promise<void> => {
    reading = load().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  return {
    namespaces: () => namespaces,
    isSource: (namespace, workflowId) => sources.has(keyOf(namespace, workflowId)),
    hasSources: () => sources.size > 0,
    reload() {
      if (reading === undefined) return begin();
      // What is being read may be older than what the caller has just written.
      next ??= reading
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return begin();
        });
      return next;
    },
  };
}

function keyOf(namespace: string, workflowId: string): string {
  return `${namespace}/${workflowId}`;
}
