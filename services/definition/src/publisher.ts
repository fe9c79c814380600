import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import type { EventMessage, EventSink } from "@heddle/events";
import { createRawEventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { moveCursor, type OutboxEntry, readOutbox } from "./store/outbox.ts";

const CURSOR = "events";
const BATCH_ENTRIES = 200;
const RETRY_PAUSE_MS = 1000;
/** How long a stop waits for the events that are being published: what no broker takes stays in the outbox. */
const STOP_GRACE_MS = 1000;

/** Takes the outbox to the sinks: in order, at least once, cursor after delivery. */
export interface OutboxPublisher {
  /** Delivers what is there; call it at start and after every commit. Calls while it works are remembered. */
  wake(): void;
  /** Waits for the delivery under way, for a moment. */
  stop(): Promise<void>;
}

export function createOutboxPublisher(
  database: Database,
  sinks: readonly EventSink[],
  logger: Logger,
): OutboxPublisher {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const deliver = async (): Promise<void> => {
    for (;;) {
      const entries = await readOutbox(database, CURSOR, BATCH_ENTRIES);
      const last = entries.at(-1);
      if (last === undefined || stopped) return;
      const messages = entries.map(toMessage);
      await Promise.all(sinks.map((sink) => sink.publish(messages)));
      await moveCursor(database, CURSOR, last.position);
    }
  };

  const run = async (): Promise<void> => {
    try {
      do {
        again = false;
        await deliver();
      } while (again && !stopped);
    } catch (error) {
      if (stopped) return;
      const isBusClosed = error instanceof DomainError && error.reason === "SHUTTING_DOWN";
      logger[isBusClosed ? "debug" : "warn"](
        { err: error },
        "events of definitions could not be published; trying again",
      );
      clearTimeout(timer);
      timer = setTimeout(wake, RETRY_PAUSE_MS);
    } finally {
      running = undefined;
    }
  };

  function wake(): void {
    again = true;
    if (!stopped) running ??= run();
  }

  return {
    wake,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (running !== undefined) await Promise.race([running, sleep(STOP_GRACE_MS, undefined, { ref: false })]);
    },
  };
}

function toMessage(entry: OutboxEntry): EventMessage {
  return createRawEventMessage(DefinitionEventSchema.typeName, entry.event, {
    id: `${entry.aggregate_id}/${entry.seq}`,
    source: "/heddle/definition",
    key: entry.aggregate_id,
    // One outbox is one partition; its positions grow with every event.
    position: { partition: 0, offset: Number(entry.position), index: 0 },
    occurredAtMs: entry.occurred_at.getTime(),
  });
}
