import type { Metrics } from "@heddle/telemetry";
import type { Counters, SchedulerState } from "./domain/state.ts";

const COUNTERS: { key: keyof Counters; name: string; help: string }[] = [
  { key: "dispatched", name: "heddle_scheduler_dispatched_total", help: "Deliveries of tasks to workers." },
  { key: "completed", name: "heddle_scheduler_completed_total", help: "Results of workers that were accepted." },
  { key: "refused", name: "heddle_scheduler_refused_total", help: "Results of workers that were refused." },
  { key: "redelivered", name: "heddle_scheduler_redelivered_total", help: "Leases that ended without a result." },
  { key: "lost", name: "heddle_scheduler_lost_total", help: "Tasks that failed because every delivery was lost." },
  { key: "timedOut", name: "heddle_scheduler_timed_out_total", help: "Tasks that failed by a time-out." },
];

/** What an operator watches: the sums over the shards that this replica owns. */
export interface SchedulerMetrics {
  /** Counts a shard's state in, until it is lost. */
  count(state: SchedulerState): CountedState;
}

export interface CountedState {
  /** Brings the counters up to date: once per turn, however many tasks there were in it. */
  tell(): void;
  end(): void;
}

export function registerMetrics(metrics: Metrics): SchedulerMetrics {
  const states = new Set<SchedulerState>();
  const sum = (read: (state: SchedulerState) => number) => () => {
    let total = 0;
    for (const state of states) total += read(state);
    return total;
  };
  metrics.gauge("heddle_scheduler_shards_owned", "Shards of namespaces that this replica owns.", () => states.size);
  metrics.gauge(
    "heddle_scheduler_waiting_tasks",
    "Tasks that wait for a worker.",
    sum(({ counts }) => counts.waiting),
  );
  metrics.gauge(
    "heddle_scheduler_running_tasks",
    "Tasks that workers have.",
    sum(({ counts }) => counts.running),
  );
  metrics.gauge(
    "heddle_scheduler_unacknowledged_results",
    "Results that no owner has recorded yet.",
    sum(({ counts }) => counts.finished),
  );
  metrics.gauge(
    "heddle_scheduler_workers",
    "Workers that are connected or hold leases.",
    sum(({ namespaces }) => {
      let workers = 0;
      for (const namespace of namespaces.values()) workers += namespace.workers.size;
      return workers;
    }),
  );
  const registered = COUNTERS.map(({ key, name, help }) => ({ key, counter: metrics.counter(name, help) }));

  return {
    count(state) {
      const { counters } = state;
      const told: Counters = { ...counters };
      states.add(state);
      const tell = () => {
        for (const { key, counter } of registered) {
          const more = counters[key] - told[key];
          if (more === 0) continue;
          counter.add(more);
          told[key] = counters[key];
        }
      };
      return {
        tell,
        end() {
          tell();
          states.delete(state);
        },
      };
    },
  };
}
