import {
  createDedupingConsumer,
  createSqlPositionStore,
  type EventBus,
  type EventHandler,
  type Subscription,
  subscribeParking,
} from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Database, Transaction } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { takeDefinitionEvents } from "./definition-events.ts";
import { findEnds, takeEnds } from "./execution-ends.ts";
import type { Notices } from "./notices.ts";
import type { WatchIndex } from "./watch-index.ts";

export interface ConsumersOptions {
  bus: EventBus;
  database: Database;
  index: WatchIndex;
  notices: Notices;
  now: () => number;
  /** Other schedules or triggers than before. */
  onChanged: () => Promise<void>;
  /** Something is due. */
  onDue: () => void;
  logger: Logger;
}

/** Groups of the bus; positions count for each. */
const DEFINITIONS_GROUP = "heddle.scheduler.definitions";
const EXECUTIONS_GROUP = "heddle.scheduler.executions";

export interface Consumers {
  /** Listens to definitions; and to executions as soon as anybody waits for an end: before, their events need not be made. */
  start(): void;
  /** To be called when the index has changed. */
  update(): void;
  stop(): Promise<void>;
}

export function createConsumers(options: ConsumersOptions): Consumers {
  const { bus, database, index, notices, now, onChanged, onDue, logger } = options;
  const positions = createSqlPositionStore<Transaction>({ transaction: database.transaction.bind(database) });
  const subscriptions: Subscription[] = [];
  let started = false;
  let hearsExecutions = false;

  function definitions(): EventHandler {
    return async (messages, context) => {
      let changed = false;
      const consume = createDedupingConsumer<Transaction>({
        positions,
        async handler(fresh, { transaction }) {
          changed = await takeDefinitionEvents(fresh, transaction, now());
          if (changed) await notices.tell(transaction, "changed");
        },
      });
      await consume(messages, context);
      if (changed) await onChanged();
    };
  }

  function executions(): EventHandler {
    return async (messages, context) => {
      // What concerns nobody leaves no position behind either: seen again, it concerns nobody again.
      const ends = findEnds(messages, index.isSource);
      if (ends.length === 0) return;
      let due = false;
      const consume = createDedupingConsumer<Transaction>({
        positions,
        async handler(fresh, { transaction }) {
          const news = new Set(fresh);
          due = await takeEnds(
            ends.filter(({ message }) => news.has(message)),
            transaction,
            now(),
          );
          if (due) await notices.tell(transaction, "due");
        },
      });
      await consume(
        ends.map(({ message }) => message),
        context,
      );
      if (due) onDue();
    };
  }

  function subscribe(group: string, topic: string, handler: EventHandler): void {
    const complaint = "an event cannot be taken for schedules and triggers";
    subscriptions.push(subscribeParking({ bus, database, group, topic, handler, logger, complaint }));
  }

  return {
    start() {
      started = true;
      subscribe(DEFINITIONS_GROUP, DefinitionEventSchema.typeName, definitions());
      this.update();
    },
    update() {
      if (!started || hearsExecutions || !index.hasSources()) return;
      hearsExecutions = true;
      subscribe(EXECUTIONS_GROUP, ExecutionEventSchema.typeName, executions());
    },
    async stop() {
      started = false;
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.close()));
      hearsExecutions = false;
    },
  };
}
