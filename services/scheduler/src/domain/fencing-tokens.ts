/** Tokens that only grow, also over restarts: the upper half is the epoch of the scheduler, the lower half counts. */
export interface FencingTokens {
  /** No token up to this one was given out by this process: what carries it comes from a start before. */
  readonly inherited: bigint;
  /** The latest token that was given out. */
  readonly latest: bigint;
  /** Half of the epoch's tokens are used: time to get a new epoch, before the counter runs into the next one. */
  readonly nearlyExhausted: boolean;
  next(): bigint;
  /** Goes on with a higher epoch. @throws RangeError for one that is not higher. */
  advance(epoch: bigint): void;
}

const COUNTER_BITS = 32n;
const HALF_OF_EPOCH = 1n << (COUNTER_BITS - 1n);

/** `epoch` must be higher than every one that was used before, by this process or another. */
export function createFencingTokens(epoch: bigint): FencingTokens {
  const inherited = epoch << COUNTER_BITS;
  let first = inherited;
  let latest = inherited;
  return {
    inherited,
    get latest() {
      return latest;
    },
    get nearlyExhausted() {
      return latest - first >= HALF_OF_EPOCH;
    },
    next: () => (latest += 1n),
    advance(higher) {
      const start = higher << COUNTER_BITS;
      if (start <= latest)
        throw new RangeError(`epoch ${higher} is not above the tokens that were given out (${latest})`);
      first = start;
      latest = start;
    },
  };
}
