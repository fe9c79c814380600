/**
 * Wait before the attempt after `failures` failures in a row, milliseconds: doubling from `minMs` to `maxMs`, and drawn
 * from its upper half, so that the workers of a restarted server do not all come back in the same moment.
 */
export function backoffMs(failures: number, minMs: number, maxMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return ceiling * (0.5 + random() / 2);
}
