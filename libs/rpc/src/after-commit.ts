import { DomainError } from "@heddle/errors";
import { hasMoved } from "./owner-router.ts";

/**
 * For what a handler still does when its change is durable. That the partition has moved would say to the router that nothing
 * has happened, and the change would be made once more: it becomes COMMIT_OUTCOME_UNKNOWN.
 */
export async function afterCommit<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!hasMoved(error)) throw error;
    throw new DomainError({
      kind: "unavailable",
      reason: "COMMIT_OUTCOME_UNKNOWN",
      message:
        "the request has taken effect, but its partition has moved and the next owner could not be asked how; look what has become of it, or repeat it with the same request id",
      retryAfterMs: 500,
      cause: error,
    });
  }
}

/** What a change that was committed here is answered with: read here, or at the next owner when the partition has moved. */
export async function readChanged<T>(here: () => Promise<T>, atOwner: () => Promise<T>): Promise<T> {
  try {
    return await here();
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return await afterCommit(atOwner);
  }
}
