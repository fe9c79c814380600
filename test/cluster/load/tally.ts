/** Figures of a stretch of time. */
export interface Figures {
  seconds: number;
  started: number;
  completed: number;
  /** Starts that were refused or timed out, and executions that did not end as they should. */
  failures: string[];
  startP99Ms: number;
  p50Ms: number;
  p99Ms: number;
  /** Longest time in which no execution ended. */
  stallMs: number;
}

interface Stretch {
  begunAt: number;
  lastEndAt: number;
  stallMs: number;
  starts: number[];
  durations: number[];
  failures: string[];
}

export function createTally() {
  const create = (): Stretch => {
    const now = performance.now();
    return { begunAt: now, lastEndAt: now, stallMs: 0, starts: [], durations: [], failures: [] };
  };
  const whole = create();
  let stretch = create();
  const both = (add: (each: Stretch) => void): void => {
    add(whole);
    add(stretch);
  };
  return {
    started: (ms: number) => both(({ starts }) => starts.push(ms)),
    ended(executionId: string, ms: number, wrongOutput: string | undefined) {
      const now = performance.now();
      both((each) => {
        each.durations.push(ms);
        each.stallMs = Math.max(each.stallMs, now - each.lastEndAt);
        each.lastEndAt = now;
        if (wrongOutput !== undefined) each.failures.push(`${executionId} ended with ${wrongOutput}`);
      });
    },
    failed: (requestId: string, why: string) => both(({ failures }) => failures.push(`${requestId}: ${why}`)),
    /** Of the time since the last call. */
    take(): Figures {
      const figures = figuresOf(stretch);
      stretch = create();
      return figures;
    },
    all: (): Figures => figuresOf(whole),
  };
}

function figuresOf({ begunAt, stallMs, starts, durations, failures }: Stretch): Figures {
  return {
    seconds: Math.round((performance.now() - begunAt) / 100) / 10,
    started: starts.length,
    completed: durations.length,
    failures: failures.slice(0, 20),
    startP99Ms: percentile(starts, 0.99),
    p50Ms: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    stallMs: Math.round(stallMs),
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
