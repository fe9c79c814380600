import type { JournalRuntime, Publisher } from "@heddle/journal";
import { registerJournalMetrics } from "@heddle/journal-service";
import type { Metrics } from "@heddle/telemetry";
import type { Machine, MachineCommand } from "./domain/aggregate.ts";

/** What an operator watches of this service. */
export function registerMetrics(
  metrics: Metrics,
  runtime: Pick<JournalRuntime<Machine, MachineCommand>, "metrics">,
  publisher: Pick<Publisher, "lagRows">,
  outbox: { readonly size: number },
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.gauge(`heddle_statemachine_${name}`, help, read);
  };
  gauge("partitions_owned", "Partitions that this process owns.", () => runtime.metrics().ownedPartitions);
  gauge("live", "Machines in memory.", () => runtime.metrics().liveAggregates);
  gauge("pending_timers", "Machines that wait for a time.", () => runtime.metrics().pendingTimers);
  gauge("obligations", "Starts, cancellations and messages that others have not taken yet.", () => outbox.size);
  registerJournalMetrics(metrics, "heddle_statemachine_journal", runtime, publisher);
}
