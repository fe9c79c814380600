/** Absent fields stay absent, so that a replayed state equals the one that was built step by step. */
export function present<Key extends string>(key: Key, value: string): { [K in Key]?: string } {
  return value === "" ? {} : ({ [key]: value } as { [K in Key]?: string });
}

export function unknownKind(what: string): Error {
  return new Error(`${what} is of a kind that this process does not know: it was written by a newer one`);
}
