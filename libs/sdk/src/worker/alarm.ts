/** Longest time that setTimeout takes; a later due time is reached in several sleeps. */
const SLEEP_MAX_MS = 2 ** 31 - 1;

/** One timer for many due times: a task with a deadline costs a comparison, not a timer. */
export interface Alarm {
  /** Makes sure that it rings at this time of performance.now(), or before. */
  ringBy(dueAt: number): void;
  stop(): void;
}

/** `onRing` gets the time; it looks what is due and asks for the next ring itself. */
export function createAlarm(onRing: (now: number) => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let armedFor = Number.POSITIVE_INFINITY;

  function ring(): void {
    const now = performance.now();
    const dueAt = armedFor;
    armedFor = Number.POSITIVE_INFINITY;
    timer = undefined;
    // Timers may fire a fraction of a millisecond early, and long sleeps come in parts.
    if (now < dueAt) arm(dueAt);
    else onRing(now);
  }

  function arm(dueAt: number): void {
    clearTimeout(timer);
    armedFor = dueAt;
    timer = setTimeout(ring, Math.min(SLEEP_MAX_MS, Math.max(0, Math.ceil(dueAt - performance.now()))));
  }

  return {
    ringBy(dueAt) {
      if (dueAt < armedFor) arm(dueAt);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      armedFor = Number.POSITIVE_INFINITY;
    },
  };
}
