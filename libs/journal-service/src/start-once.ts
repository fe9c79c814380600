import { DomainError } from "@heddle/errors";
import type { RequestIds } from "./request-ids.ts";

/** Whose key is asked for: request ids are unique in a namespace, business keys in a definition. */
export interface StartKey {
  scope: string;
  key: string;
}

export interface StartOnceOptions {
  requestIds: RequestIds;
  /** What has this key by the projection, which may not show the latest yet. */
  findProjected(): Promise<string | undefined>;
  /**
   * Starts something new and gives its id. Its command must ask `requestIds.committed` when it is decided, and be refused
   * with what `takenBy` gives: an earlier start may have been committed without an answer.
   */
  start(): Promise<string>;
}

/** A key has at most one start, however many calls race for it. */
export async function startOnce(
  { scope, key }: StartKey,
  { requestIds, findProjected, start }: StartOnceOptions,
): Promise<{ id: string; created: boolean }> {
  const known = requestIds.find(scope, key);
  if (known !== undefined) return { id: await known, created: false };

  let created = true;
  const starting = findProjected().then(async (existing) => {
    try {
      if (existing === undefined) return await start();
    } catch (error) {
      existing = takenBy(error);
      if (existing === undefined) throw error;
    }
    created = false;
    return existing;
  });
  // Before the first await of this call has come back: the next call with this key finds it.
  requestIds.begin(scope, key, starting);
  const id = await starting;
  // The projection has it: nothing needs to be remembered here.
  if (!created) requestIds.release(scope, key);
  return { id, created };
}

const TAKEN_BY = "taken_by";

/** Refuses a start, when it is decided, whose key something has already. */
export function refuseTaken(reason: string, what: string, id: string | undefined): void {
  if (id === undefined) return;
  throw new DomainError({
    kind: "already_exists",
    reason,
    message: `${what} has started ${id}`,
    metadata: { [TAKEN_BY]: id },
  });
}

function takenBy(error: unknown): string | undefined {
  return error instanceof DomainError ? error.metadata[TAKEN_BY] : undefined;
}
