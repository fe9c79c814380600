import type { JournalRuntime, Publisher } from "@heddle/journal";
import { registerJournalMetrics } from "@heddle/journal-service";
import type { Metrics } from "@heddle/telemetry";
import type { Execution, ExecutionCommand } from "./domain/aggregate.ts";
import type { OpenTasks } from "./link/open-tasks.ts";

/** What an operator watches of this service. */
export function registerMetrics(
  metrics: Metrics,
  runtime: Pick<JournalRuntime<Execution, ExecutionCommand>, "metrics">,
  openTasks: OpenTasks,
  publisher: Pick<Publisher, "lagRows">,
  openIncidents: () => number,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.gauge(`heddle_execution_${name}`, help, read);
  };
  gauge("partitions_owned", "Partitions that this process owns.", () => runtime.metrics().ownedPartitions);
  gauge("live", "Executions in memory.", () => runtime.metrics().liveAggregates);
  gauge("open_tasks", "Attempts that are queued or run.", () => openTasks.size);
  gauge("pending_timers", "Executions that wait for a time.", () => runtime.metrics().pendingTimers);
  gauge("open_incidents", "Nodes that have failed and wait for a person, counted every 15 s.", openIncidents);
  registerJournalMetrics(metrics, "heddle_execution_journal", runtime, publisher);
}
