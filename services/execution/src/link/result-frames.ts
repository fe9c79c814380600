/** Frames of results from the scheduler that are being recorded, to acknowledge them in order. */
export interface ResultFrames {
  /** A frame of `count` results came; call the returned function once for each result that is recorded or refused. */
  open(frame: bigint, count: number): () => void;
}

/**
 * Acknowledges cumulatively: `acknowledge(frame)` is called when every result of that frame and of all before it is done.
 */
export function createResultFrames(acknowledge: (upToFrame: bigint) => void): ResultFrames {
  const pending: { frame: bigint; remaining: number }[] = [];

  const advance = (): void => {
    let done: bigint | undefined;
    while (pending[0] !== undefined && pending[0].remaining <= 0) done = pending.shift()?.frame;
    if (done !== undefined) acknowledge(done);
  };

  return {
    open(frame, count) {
      const entry = { frame, remaining: count };
      pending.push(entry);
      if (count === 0) advance();
      return () => {
        entry.remaining -= 1;
        if (entry.remaining === 0) advance();
      };
    },
  };
}
