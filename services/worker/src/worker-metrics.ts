import type { WorkerStats } from "@heddle/sdk";
import type { Metrics } from "@heddle/telemetry";

/** What a worker does, for Prometheus. Read when the page is asked for. */
export function registerWorkerMetrics(metrics: Metrics, read: () => WorkerStats): void {
  const gauge = (name: string, help: string, value: (stats: WorkerStats) => number) => {
    metrics.gauge(name, help, () => value(read()));
  };
  gauge("heddle_worker_connected", "1 while the worker has a stream to the scheduler.", ({ connected }) =>
    Number(connected),
  );
  gauge("heddle_worker_slots", "Tasks that the worker takes at once.", ({ slots }) => slots);
  gauge("heddle_worker_tasks_running", "Handlers that run.", ({ running }) => running);
  gauge("heddle_worker_tasks_waiting", "Delivered tasks that wait for a slot.", ({ waiting }) => waiting);
  gauge(
    "heddle_worker_results_unacknowledged",
    "Results that the scheduler has not acknowledged.",
    (stats) => stats.unacknowledged,
  );
  metrics.gauge("heddle_worker_tasks_ended", "Tasks that ended since the process started, by outcome.", () => {
    const { completed, failed, aborted, refused } = read();
    return Object.entries({ completed, failed, aborted, refused }).map(([outcome, count]) => [{ outcome }, count]);
  });
  gauge("heddle_worker_outages", "Times that the stream broke since the process started.", ({ outages }) => outages);
}
