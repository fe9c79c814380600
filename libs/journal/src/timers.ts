import type { Core } from "./core.ts";
import type { Partition, QueuedCommand, ResidentAggregate } from "./partition.ts";

export interface Timers<State, Command> {
  /** Asks the aggregate for its next timer. To be called with committed state, after each of its turns. */
  schedule(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  stop(): void;
}

/**
 * setTimeout takes 31 bits of milliseconds, and follows the monotonic clock while due times follow the wall clock: a
 * look at least this often keeps both harmless.
 */
const MAX_SLEEP_MS = 30_000;
/** Heap entries that no longer count are swept out when they outnumber the aggregates so far. */
const STALE_SLACK = 1_024;

/** Fires due timers as commands, never before their time by the wall clock. */
export function createTimers<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  enqueue: (item: QueuedCommand<Command>) => void,
): Timers<State, Command> {
  let handle: NodeJS.Timeout | undefined;
  let wakeAt = Number.POSITIVE_INFINITY;
  let stopped = false;

  const sleepUntil = (dueAt: number): void => {
    // What is due already cannot wait for a look that was planned before the wall clock jumped.
    if (stopped || (dueAt >= wakeAt && dueAt > core.now())) return;
    wakeAt = dueAt;
    clearTimeout(handle);
    handle = setTimeout(fire, Math.min(Math.max(dueAt - core.now(), 0), MAX_SLEEP_MS));
  };

  const fire = (): void => {
    wakeAt = Number.POSITIVE_INFINITY;
    const now = core.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (const partition of core.partitions) {
      if (partition?.status !== "active") continue;
      for (let due = partition.timers.popDue(now); due !== undefined; due = partition.timers.popDue(now)) {
        const aggregate = due.item;
        if (aggregate.timerAt !== due.dueAt || partition.aggregates.get(aggregate.id) !== aggregate) continue;
        aggregate.timerAt = undefined;
        aggregate.timerQueued = true;
        enqueue({ id: aggregate.id, timer: true });
      }
      earliest = Math.min(earliest, partition.timers.peek() ?? Number.POSITIVE_INFINITY);
    }
    // setTimeout may be a fraction early by the wall clock: then nothing was due and this sleeps a little more.
    if (earliest !== Number.POSITIVE_INFINITY) sleepUntil(Math.max(earliest, now + 1));
  };

  const dueAt = (aggregate: ResidentAggregate<State, Command>): number | undefined => {
    const { state } = aggregate;
    if (state === undefined || core.aggregate.isFinished(state)) return undefined;
    const timer = core.aggregate.nextTimer(state);
    if (timer === undefined || aggregate.timerFailures === 0) return timer?.dueAt;
    // Its command fails or changes nothing: without a pause it would be due again at once, for ever.
    const { timerRetryMinMs, timerRetryMaxMs } = core.limits;
    const pauseMs = Math.min(timerRetryMinMs * 2 ** (aggregate.timerFailures - 1), timerRetryMaxMs);
    return Math.max(timer.dueAt, core.now() + pauseMs);
  };

  return {
    schedule(partition, aggregate) {
      if (aggregate.timerQueued) return;
      const due = dueAt(aggregate);
      if (due === aggregate.timerAt) return;
      aggregate.timerAt = due;
      if (due === undefined) return;
      const { timers, aggregates } = partition;
      timers.push(due, aggregate);
      if (timers.size > 2 * aggregates.size + STALE_SLACK) timers.replace(current(aggregates.values()));
      sleepUntil(due);
    },
    stop() {
      stopped = true;
      clearTimeout(handle);
    },
  };
}

function* current<State, Command>(aggregates: Iterable<ResidentAggregate<State, Command>>) {
  for (const item of aggregates) {
    if (item.timerAt !== undefined) yield { dueAt: item.timerAt, item };
  }
}
