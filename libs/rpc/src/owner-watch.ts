import { ConnectError } from "@connectrpc/connect";
import { createLinkedAbortController } from "@connectrpc/connect/protocol";
import { DomainError } from "@heddle/errors";
import type { PartitionDirectory } from "./partition-directory.ts";

/** Guards a call that another process has been given against waiting for one that no longer lives. */
export interface OwnerWatch {
  /** For the call: aborts when the caller gives up, or when the owner is dead. */
  readonly signal: AbortSignal;
  /** What the failure of the call means. */
  explain(error: unknown, partition: number, hasEffects: boolean): unknown;
  end(): void;
}

/** A process that leaves in order is gone from the record first and answers what it has after that. */
const LAST_ANSWERS_MS = 300;

/** A process that hangs keeps its connections: only the record tells that it will not answer. */
export function createOwnerWatch(directory: PartitionDirectory, owner: string, caller: AbortSignal): OwnerWatch {
  const abort = createLinkedAbortController(caller);
  let timer: NodeJS.Timeout | undefined;
  let isDead = false;
  const look = (): void => {
    if (timer !== undefined || directory.isLive(owner)) return;
    timer = setTimeout(() => {
      isDead = true;
      abort.abort();
    }, LAST_ANSWERS_MS);
  };
  const unsubscribe = directory.onOwnersChange(look);
  return {
    signal: abort.signal,
    explain(error, partition, hasEffects) {
      if (caller.aborted) return error;
      return isDead || isUnanswered(error) ? ownerGone(owner, partition, hasEffects, error) : error;
    },
    end() {
      unsubscribe();
      clearTimeout(timer);
    },
  };
}

/** Whether no server has said this: the owner could not be reached, or broke off. What our servers say has details. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof DomainError) return error.reason === "UNAVAILABLE";
  return error instanceof ConnectError && error.isWireError && error.details.length === 0;
}

function ownerGone(owner: string, partition: number, hasEffects: boolean, cause: unknown): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: hasEffects ? "COMMIT_OUTCOME_UNKNOWN" : "PARTITION_NOT_OWNED",
    message: hasEffects
      ? `${owner}, the owner of partition ${partition}, went away while it had the request, which may have taken effect; repeat it with the same request id`
      : `${owner}, the owner of partition ${partition}, cannot be reached; repeat the request`,
    metadata: { partition: String(partition), owner },
    retryAfterMs: 500,
    cause,
  });
}
