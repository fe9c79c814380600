import { maxTasksPerFrame } from "../domain/limits.ts";

/** Says that a result is over: recorded, refused for good, or, with the id of its task, given back to the scheduler. */
export type ResultDone = (returnedTaskId?: string) => void;

/** Frames of results from the scheduler that are being recorded, to acknowledge them in order. */
export interface ResultFrames {
  /** A frame of `count` results came; call the returned function once for each of them. */
  open(frame: bigint, count: number): ResultDone;
}

/**
 * Acknowledges cumulatively: `acknowledge(frame)` is called when every result of that frame and of all before it is done.
 * What is given back is said in the same turn of the event loop, however far that is: the next sync must come after it, and
 * whoever gave up one partition holds the results of all others in the same frames.
 */
export function createResultFrames(
  acknowledge: (upToFrame: bigint, returnedTaskIds: readonly string[]) => void,
): ResultFrames {
  const pending: { frame: bigint; remaining: number }[] = [];
  let acknowledged = 0n;
  let returned: string[] = [];

  const say = (upToFrame: bigint): void => {
    acknowledged = upToFrame;
    const all = returned;
    returned = [];
    for (let from = 0; from === 0 || from < all.length; from += maxTasksPerFrame) {
      const part = all.slice(from, from + maxTasksPerFrame);
      // The frame is acknowledged when all of its results that were given back have been named.
      acknowledge(from + maxTasksPerFrame < all.length ? 0n : upToFrame, part);
    }
  };

  const advance = (): void => {
    let done: bigint | undefined;
    while (pending[0] !== undefined && pending[0].remaining <= 0) done = pending.shift()?.frame;
    if (done !== undefined) say(done);
  };

  const giveBack = (taskId: string): void => {
    // A partition that moves away gives back many at once.
    if (returned.push(taskId) > 1) return;
    queueMicrotask(() => {
      if (returned.length > 0) say(acknowledged);
    });
  };

  return {
    open(frame, count) {
      const entry = { frame, remaining: count };
      pending.push(entry);
      if (count === 0) advance();
      return (returnedTaskId) => {
        if (returnedTaskId !== undefined) giveBack(returnedTaskId);
        entry.remaining -= 1;
        if (entry.remaining === 0) advance();
      };
    },
  };
}
