import { createMemoryBus, type EventBus } from "@heddle/events";
import type { Logger, Metrics } from "@heddle/telemetry";

export interface BusOptions {
  brokers: readonly string[];
  /** Stands in the brokers' logs and quotas, e.g. `execution`. */
  clientId: string;
  logger: Logger;
  metrics: Metrics;
}

/** The bus that processes share. */
export function openBus(_options: BusOptions): EventBus {
  return createMemoryBus();
}
