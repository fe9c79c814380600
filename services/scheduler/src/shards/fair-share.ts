/** Shards that `owner` is to have: as many as everybody else; the first owners in order of their names get one more each. */
export function fairShare(shards: number, owners: readonly string[], owner: string): number {
  const rank = owners.indexOf(owner);
  if (rank === -1) return 0;
  return Math.floor(shards / owners.length) + (rank < shards % owners.length ? 1 : 0);
}
