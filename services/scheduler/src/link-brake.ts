import type { SchedulerState } from "./domain/state.ts";

/**
 * Slows links down while too many tasks wait or are unacknowledged. A link is never stopped for good: its
 * acknowledgements and cancels come on the same stream, and they are what makes room.
 */
export interface LinkBrake {
  /** To be awaited before the next frame is read: until there is room, and at most `linkPauseMs`. */
  pause(): Promise<void> | undefined;
  /** Lets links go on when there is room. */
  check(): void;
  /** Lets all go on. */
  release(): void;
}

export function createLinkBrake({ counts, limits }: SchedulerState): LinkBrake {
  const paused = new Set<() => void>();
  const isFull = () => counts.waiting + counts.finished >= limits.linkSlowdownTasks;
  const release = () => {
    for (const resume of paused) resume();
  };
  return {
    pause() {
      if (!isFull()) return undefined;
      return new Promise((resolve) => {
        const resume = () => {
          clearTimeout(timer);
          paused.delete(resume);
          resolve();
        };
        const timer = setTimeout(resume, limits.linkPauseMs);
        paused.add(resume);
      });
    },
    check() {
      if (paused.size > 0 && !isFull()) release();
    },
    release,
  };
}
