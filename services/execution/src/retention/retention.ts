/** How long executions are kept after their end, when their definition does not say it itself. */
export interface Retention {
  /** Milliseconds; undefined: for ever. */
  defaultMs?: number | undefined;
  /** Instead of it, by namespace. */
  byNamespace?: ReadonlyMap<string, number>;
}

/** When an execution that ended at this time is to be purged; milliseconds since the epoch. Undefined: never. */
export function findPurgeTime(
  { defaultMs, byNamespace }: Retention,
  execution: { namespace: string; endedAt: number | undefined; retentionMs: number | undefined },
): number | undefined {
  const { namespace, endedAt, retentionMs = byNamespace?.get(namespace) ?? defaultMs } = execution;
  return endedAt === undefined || retentionMs === undefined ? undefined : endedAt + retentionMs;
}
