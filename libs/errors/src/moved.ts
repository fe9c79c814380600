import { DomainError } from "./domain-error.ts";

type MovedReason = "PARTITION_NOT_OWNED" | "PARTITION_LOST";

/** The refusals that say that nothing has happened. */
const MOVED: ReadonlySet<string> = new Set<MovedReason>(["PARTITION_NOT_OWNED", "PARTITION_LOST"]);

/**
 * Whether the partition of a call was not where the call came, or went away before anything had happened. Of an error of which it is
 * not known who gave it this says nothing about one's own partitions: services that are called have some too.
 */
export function hasMoved(error: unknown): error is DomainError & { readonly reason: MovedReason } {
  return error instanceof DomainError && MOVED.has(error.reason);
}

/** The partition that something is to be done for is no longer here: whoever owns it now derives it anew. */
export class PartitionElsewhereError extends Error {
  constructor(cause: DomainError) {
    super(cause.message, { cause });
    this.name = "PartitionElsewhereError";
  }
}

/**
 * What one's own runtime answers, where calls to other services stand beside: only its word that a partition has moved becomes a
 * `PartitionElsewhereError`. Theirs stays as it is, an outage of theirs that passes.
 */
export async function atHome<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw hasMoved(error) ? new PartitionElsewhereError(error) : error;
  }
}
