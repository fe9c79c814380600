import { fromBinary } from "@bufbuild/protobuf";
import {
  createDedupingConsumer,
  createSqlPositionStore,
  type EventBus,
  type Subscription,
  subscribeParking,
} from "@heddle/events";
import { type DefinitionEvent, DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import type { Database, Transaction } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { type ActiveVersion, saveActiveVersion } from "./active-versions.ts";
import type { PlanLoader } from "./plan-loader.ts";

export interface FollowDefinitionsOptions {
  bus: EventBus;
  /** Of all replicas together: whoever of them gets an event writes for all. */
  group: string;
  database: Database;
  loader: PlanLoader;
  logger: Logger;
}

/**
 * Follows what happens to definitions: which version is active is written down in the transaction that marks the event as
 * handled, and its plan is loaded ahead. Both are for the time when the definition service is away.
 */
export function followDefinitions({ bus, group, database, loader, logger }: FollowDefinitionsOptions): Subscription {
  const { transaction } = database;
  return subscribeParking({
    bus,
    database,
    group,
    topic: DefinitionEventSchema.typeName,
    handler: createDedupingConsumer<Transaction>({
      positions: createSqlPositionStore<Transaction>({ transaction }),
      async handler(messages, context) {
        for (const { value } of messages) {
          const active = activeVersionAfter(fromBinary(DefinitionEventSchema, value));
          if (active === undefined) continue;
          await saveActiveVersion(context.transaction, active);
          if (active.version > 0) loader.load(active);
        }
      },
    }),
    logger,
    complaint: "an event of a definition cannot be handled",
  });
}

/** Undefined when the event changes nothing about which version is active. */
function activeVersionAfter(message: DefinitionEvent): ActiveVersion | undefined {
  const { namespace, workflowId, event } = message;
  const seq = Number(message.seq);
  if (event.case === "versionActivated") return { namespace, workflowId, version: event.value.version, seq };
  if (event.case === "deleted") return { namespace, workflowId, version: 0, seq };
  return undefined;
}
