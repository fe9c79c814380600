import { DomainError } from "@heddle/errors";
import type { PartitionLossReason } from "./types.ts";

/** The partition belongs to another process, or to none for a moment. Ask again, or forward to the owner. */
export function partitionNotOwned(partition: number): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "PARTITION_NOT_OWNED",
    message: `partition ${partition} is not owned by this process; retry, or send the request to its owner`,
    metadata: { partition: String(partition) },
    retryAfterMs: 100,
  });
}

/** The partition went away while the command waited; it was not applied. */
export function partitionLost(partition: number, why: PartitionLossReason): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "PARTITION_LOST",
    message: `partition ${partition} moved away (${why}) before the command was durable; it was not applied, retry`,
    metadata: { partition: String(partition), why },
    retryAfterMs: 100,
  });
}

/** The database did not answer in time: the command may or may not have been applied. */
export function outcomeUnknown(partition: number): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "COMMIT_OUTCOME_UNKNOWN",
    message: `the database went away in the middle of the commit to partition ${partition}; the command may have been applied, repeat it with the same request id`,
    metadata: { partition: String(partition) },
    retryAfterMs: 1_000,
  });
}

/** The database has been away for so long that callers are not kept waiting any more. */
export function databaseAway(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: "the database does not answer at the moment; repeat the request",
    retryAfterMs: 500,
  });
}

/** Why a process ends itself. Two of one name would take the partitions from each other for ever: the newer one has them. */
export function superseded(owner: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `another process has started under the owner name ${owner} on the same database, and has this one's partitions; give each process a name of its own, or a database of its own`,
    metadata: { owner },
  });
}

export function runtimeStopped(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "SHUTTING_DOWN",
    message: "this process is stopping and takes no more commands; retry at another",
    retryAfterMs: 100,
  });
}

/** Back-pressure: `what` is the bound that was passed. */
export function overloaded(what: string, value: number, bound: number, retryAfterMs: number): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: `${what} is ${value}, above its bound of ${bound}; retry later`,
    metadata: { what, value: String(value), bound: String(bound) },
    retryAfterMs,
  });
}

/** The events of this aggregate cannot be replayed by this version of the program. */
export function aggregateQuarantined(id: string, cause: unknown): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "AGGREGATE_QUARANTINED",
    message: `the stored events of ${id} cannot be replayed by this version: ${String(cause)}. Nothing of it is lost; it comes back with a version that can`,
    metadata: { id },
    cause,
  });
}

export function payloadTooLarge(name: string, sizeBytes: number, maxBytes: number): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "PAYLOAD_TOO_LARGE",
    message: `${name} has ${sizeBytes} bytes, above the limit of ${maxBytes}; pass a reference to where the data is`,
    metadata: { name, sizeBytes: String(sizeBytes), maxBytes: String(maxBytes) },
    violations: [{ field: name, description: `at most ${maxBytes} bytes, has ${sizeBytes}` }],
  });
}

export function invalidId(id: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "INVALID_ID",
    message: `${JSON.stringify(id.slice(0, 64))} is not an id: ids are UUIDs in lower case with dashes`,
  });
}
