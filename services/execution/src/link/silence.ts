/** Promised intervals without a frame after which the peer counts as dead. */
const SILENT_INTERVALS = 3;

/** Notices a peer that hangs: its connection stays open, and nothing else tells. */
export interface SilenceWatch {
  /** A frame came. */
  heard(): void;
  /** The peer promises a frame at least this often; 0 for no promise. */
  expect(intervalMs: number): void;
  stop(): void;
}

/** Calls `onSilent` once when three promised intervals have passed without a frame. */
export function createSilenceWatch(onSilent: () => void, now: () => number = () => performance.now()): SilenceWatch {
  let timer: NodeJS.Timeout | undefined;
  let heardAt = 0;
  let lookedAt = 0;

  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const look = (intervalMs: number): void => {
    const at = now();
    // This process itself stood still: frames may wait in its sockets, which are read after its timers.
    if (at - lookedAt > 2 * intervalMs) heardAt = at;
    lookedAt = at;
    if (at - heardAt < SILENT_INTERVALS * intervalMs) return;
    stop();
    onSilent();
  };

  return {
    heard() {
      if (timer !== undefined) heardAt = now();
    },
    expect(intervalMs) {
      stop();
      if (intervalMs === 0) return;
      heardAt = now();
      lookedAt = heardAt;
      timer = setInterval(look, intervalMs, intervalMs);
    },
    stop,
  };
}
