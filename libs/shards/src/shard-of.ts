/**
 * Shards that namespaces fall into; each is owned by one replica of the scheduler. The number is fixed for good: with
 * another one, namespaces would change owners while replicas of both versions run.
 */
export const SHARDS = 8;

const DEFAULT_NAMESPACE = "default";
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The latest answer: whoever asks for each of many tasks asks mostly about one namespace. */
let latest = { namespace: DEFAULT_NAMESPACE, shard: hash(DEFAULT_NAMESPACE) };

/** Shard of a namespace, 0 to SHARDS - 1; the empty one is `default`. The same in every process and every version. */
export function shardOf(namespace: string): number {
  if (namespace === latest.namespace) return latest.shard;
  const shard = hash(namespace === "" ? DEFAULT_NAMESPACE : namespace);
  latest = { namespace, shard };
  return shard;
}

/** FNV-1a over UTF-16 units. Its low bits depend on the low bits of the text alone, so that the high ones are folded in. */
function hash(text: string): number {
  let value = FNV_OFFSET;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME);
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return ((value ^ (value >>> 16)) >>> 0) % SHARDS;
}
