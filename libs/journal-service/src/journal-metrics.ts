import type { JournalMetrics, Publisher } from "@heddle/journal";
import type { Metrics } from "@heddle/telemetry";

/**
 * What an operator watches of a journal and of what is published from it. `prefix` differs between services: in one
 * process they share the registry.
 */
export function registerJournalMetrics(
  metrics: Metrics,
  prefix: string,
  runtime: { metrics(): JournalMetrics },
  publisher: Pick<Publisher, "lagRows">,
): void {
  const read = (pick: (journal: JournalMetrics) => number) => () => pick(runtime.metrics());
  const gauges: [name: string, help: string, value: () => number][] = [
    ["queued_commands", "Commands that wait for a commit.", read((m) => m.queuedCommands)],
    ["unprojected_events", "Events that lists do not show yet.", read((m) => m.unprojectedEvents)],
    ["publisher_lag_rows", "Journal rows that are not published yet.", () => publisher.lagRows()],
    ["flushes", "Commits since the start.", read((m) => m.flushes)],
    ["events", "Events committed since the start.", read((m) => m.events)],
    ["refusals", "Commands refused since the start.", read((m) => m.refusals)],
    ["defects", "Commands that met a defect since the start.", read((m) => m.defects)],
    ["flush_seconds", "Time that the last commit took.", read((m) => m.lastFlushMs / 1000)],
  ];
  for (const [name, help, value] of gauges) metrics.gauge(`${prefix}_${name}`, help, value);
}
