import { requestIdMemoryMs } from "@heddle/journal-service";

/**
 * The latest execution of each business key, for those that the projection may not show yet: all that run, and those that
 * have ended a moment ago. All starts with a key meet in the owner of the key's partition, one after the other.
 */
export interface WorkflowKeys {
  latest(namespace: string, key: string): string | undefined;
  /** Its start is committed, now or before a recovery. */
  add(namespace: string, key: string, id: string): void;
  /** It has ended and is projected: soon the projection alone will do. */
  release(namespace: string, key: string, id: string): void;
  /** Runs after all that were asked for this key before. */
  inTurn<T>(namespace: string, key: string, run: () => Promise<T>): Promise<T>;
  /** The executions with these ids have gone to another process, which alone knows from now on which is the latest. */
  forget(hasGone: (id: string) => boolean): void;
  clear(): void;
}

export function createWorkflowKeys(): WorkflowKeys {
  const latest = new Map<string, string>();
  const turns = new Map<string, Promise<unknown>>();
  const timers = new Set<NodeJS.Timeout>();

  return {
    latest: (namespace, key) => latest.get(nameOf(namespace, key)),
    add: (namespace, key, id) => void latest.set(nameOf(namespace, key), id),
    release(namespace, key, id) {
      const name = nameOf(namespace, key);
      // Not at once: a start that asked the database a moment ago may still be on its way to look here.
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (latest.get(name) === id) latest.delete(name);
      }, requestIdMemoryMs);
      timer.unref();
      timers.add(timer);
    },
    async inTurn(namespace, key, run) {
      const name = nameOf(namespace, key);
      const before = turns.get(name) ?? Promise.resolve();
      const mine = before.then(run, run);
      const done = mine.catch(() => undefined);
      turns.set(name, done);
      try {
        return await mine;
      } finally {
        if (turns.get(name) === done) turns.delete(name);
      }
    },
    forget(hasGone) {
      for (const [name, id] of latest) if (hasGone(id)) latest.delete(name);
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      latest.clear();
    },
  };
}

function nameOf(namespace: string, key: string): string {
  return `${namespace}\u0000${key}`;
}

/** A request id with its scope, for those who look whether one was taken twice; empty without one. */
export function describeRequestId(requestId: string, workflowKey: string): string {
  return requestId === "" || workflowKey === "" ? requestId : `${requestId} of the key ${workflowKey}`;
}

/** Where a request id is unique: in the namespace, and with a business key among the starts with that key. */
export function requestScope({ namespace, workflowKey = "" }: { namespace: string; workflowKey?: string }): string {
  return workflowKey === "" ? namespace : nameOf(namespace, workflowKey);
}
