import { defineConfig, duration, list, string } from "@heddle/config";
import {
  addressSetting,
  busSettings,
  databaseSettings,
  replicaSettings,
  serverSettings,
  servicePorts,
} from "@heddle/service-process";
import { eventTopicsMax } from "./domain/limits.ts";
import type { Retention } from "./retention/retention.ts";

/** Everything that the execution service reads from the environment. */
export const executionConfig = defineConfig({
  ...serverSettings(servicePorts.execution),
  ...replicaSettings,
  ...databaseSettings,
  ...busSettings,
  HEDDLE_DEFINITION_ADDRESS: addressSetting("definition", servicePorts.definition),
  HEDDLE_SCHEDULER_ADDRESS: addressSetting("scheduler", servicePorts.scheduler),
  HEDDLE_STATEMACHINE_ADDRESS: addressSetting("statemachine", servicePorts.statemachine),
  HEDDLE_EVENT_TOPICS: list({
    doc: "Topics of others whose CloudEvents are told to the executions that wait for them. KAFKA_TOPIC_PREFIX is not put before them.",
    // Heddle's own hold protobuf, and what is emitted in them is told anyway.
    item: {
      shape: "the name of a topic of others (letters, digits, dots, hyphens and underscores)",
      pattern: /^(?!.*heddle\.[a-z]+\.v\d)[\w.-]{1,249}$/,
    },
    maxItems: eventTopicsMax,
    optional: true,
    example: "shop.orders,payments",
  }),
  HEDDLE_EVENT_NAMESPACE: string({
    doc: "Namespace of those of them that have no attribute heddlenamespace.",
    default: "default",
    example: "shop",
  }),
  HEDDLE_RETENTION: duration({
    doc: "How long executions are kept after their end when neither their definition nor their namespace says it. Default: for ever.",
    optional: true,
    min: 60_000,
    example: "90d",
  }),
  HEDDLE_NAMESPACE_RETENTION: list({
    doc: "The same by namespace, as name=duration.",
    item: { shape: "name=duration, e.g. team-a=30d", pattern: /^[^=]+=\d+(s|m|h|d)$/ },
    optional: true,
    example: "team-a=30d,tests=1h",
  }),
});

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How long executions are kept that do not say it themselves. */
export function retentionOf(config: {
  HEDDLE_RETENTION?: number;
  HEDDLE_NAMESPACE_RETENTION?: readonly string[];
}): Retention {
  const byNamespace = new Map(
    (config.HEDDLE_NAMESPACE_RETENTION ?? []).map((text) => {
      const [, namespace = "", amount, unit] = /^(.+)=(\d+)(s|m|h|d)$/.exec(text) ?? [];
      return [namespace, Number(amount) * UNITS[unit as keyof typeof UNITS]];
    }),
  );
  return { defaultMs: config.HEDDLE_RETENTION, byNamespace };
}
