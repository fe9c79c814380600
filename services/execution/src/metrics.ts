import type { JournalRuntime, Publisher } from "@heddle/journal";
import type { Metrics } from "@heddle/telemetry";
import type { Execution, ExecutionCommand } from "./domain/aggregate.ts";
import type { OpenTasks } from "./link/open-tasks.ts";

/** What an operator watches of this service. */
export function registerMetrics(
  metrics: Metrics,
  runtime: Pick<JournalRuntime<Execution, ExecutionCommand>, "metrics">,
  openTasks: OpenTasks,
  publisher: Pick<Publisher, "lagRows">,
): void {
  const read = (pick: (journal: ReturnType<typeof runtime.metrics>) => number) => () => pick(runtime.metrics());
  metrics.gauge(
    "heddle_execution_partitions_owned",
    "Partitions that this process owns.",
    read((m) => m.ownedPartitions),
  );
  metrics.gauge(
    "heddle_execution_live",
    "Executions in memory.",
    read((m) => m.liveAggregates),
  );
  metrics.gauge("heddle_execution_open_tasks", "Attempts that are queued or run.", () => openTasks.size);
  metrics.gauge(
    "heddle_execution_pending_timers",
    "Executions that wait for a time.",
    read((m) => m.pendingTimers),
  );
  metrics.gauge(
    "heddle_journal_queued_commands",
    "Commands that wait for a commit.",
    read((m) => m.queuedCommands),
  );
  metrics.gauge(
    "heddle_journal_unprojected_events",
    "Events that lists do not show yet.",
    read((m) => m.unprojectedEvents),
  );
  metrics.gauge("heddle_journal_publisher_lag_rows", "Journal rows that are not published yet.", () =>
    publisher.lagRows(),
  );
  metrics.gauge(
    "heddle_journal_flushes",
    "Commits since the start.",
    read((m) => m.flushes),
  );
  metrics.gauge(
    "heddle_journal_events",
    "Events committed since the start.",
    read((m) => m.events),
  );
  metrics.gauge(
    "heddle_journal_refusals",
    "Commands refused since the start.",
    read((m) => m.refusals),
  );
  metrics.gauge(
    "heddle_journal_defects",
    "Commands that met a defect since the start.",
    read((m) => m.defects),
  );
  metrics.gauge(
    "heddle_journal_flush_seconds",
    "Time that the last commit took.",
    read((m) => m.lastFlushMs / 1000),
  );
}
